//! Every module that an op can ask for is valid WGSL within the limits of a phone, and can be translated for Metal and
//! Vulkan. No GPU is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kinglet_shaders::{Binding, Dot, Kernel, Lanes, Variant, corpus};
use naga::back::PipelineConstants;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, back, front};
use std::collections::HashSet;

/// What every phone with Vulkan or Metal allows a stage.
const STORAGE_BUFFERS: usize = 8;
const INVOCATIONS: u32 = 256;
const WORKGROUP_BYTES: u32 = 16 << 10;
/// Longer private arrays crash a compiler of phones.
const PRIVATE_ELEMENTS: u32 = 16;

#[test]
fn every_module_is_valid_and_small_enough_for_phones() {
    let mut names = HashSet::new();
    for lanes in [Lanes::Workgroup, Lanes::Subgroup] {
        for dot in [Dot::Plain, Dot::Packed] {
            for kernel in Kernel::all() {
                let source = kernel.source(Variant { dot, lanes });
                if !names.insert(source.name.clone()) {
                    continue; // It does not depend on what was varied.
                }
                check(kernel, &source.name, &source.link().text, lanes);
            }
        }
    }
    println!("{} modules", names.len());
    assert!(names.len() > 100, "{}", names.len());
}

/// Its private arrays may be longer than those of kernels: that is what some of it is about.
#[test]
fn the_corpus_is_valid_too() {
    for (name, text) in corpus::SHADERS {
        let lanes = if name.starts_with("subgroup") { Lanes::Subgroup } else { Lanes::Workgroup };
        let (module, info) = valid(name, text, lanes);
        translated(name, &module, &info);
        assert!(text.starts_with("// WHY: ") && text.contains("\n// y = "), "{name} does not say what it is about");
    }
}

fn check(kernel: Kernel, name: &str, text: &str, lanes: Lanes) {
    let (module, info) = valid(name, text, lanes);
    bindings(kernel, name, &module);
    private_arrays(name, &module);
    translated(name, &module, &info);
}

fn valid(name: &str, text: &str, lanes: Lanes) -> (naga::Module, ModuleInfo) {
    let module = front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
    // Halves in u32 are of WGSL's core; only GL lacks them.
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    capabilities.set(Capabilities::SUBGROUP, lanes == Lanes::Subgroup);
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
    validator.subgroup_operations(naga::valid::SubgroupOperationSet::all());
    let info = validator.validate(&module).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
    (module, info)
}

/// The module is within the limits of a phone, and in its languages.
fn translated(name: &str, module: &naga::Module, info: &ModuleInfo) {
    // Overrides at their defaults: devices get the same module with others.
    let (module, info) = back::pipeline_constants::process_overrides(module, info, None, &PipelineConstants::default())
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    limits(name, &module);

    let spirv = back::spv::write_vec(&module, &info, &back::spv::Options::default(), None);
    assert!(spirv.unwrap_or_else(|e| panic!("{name}: {e}")).len() > 100, "{name}");
    let options = back::msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
    let msl = back::msl::write_string(&module, &info, &options, &back::msl::PipelineOptions::default());
    assert!(msl.unwrap_or_else(|e| panic!("{name}: {e}")).0.contains("kernel void"), "{name}");
}

/// What the module declares is what the kernel says.
fn bindings(kernel: Kernel, name: &str, module: &naga::Module) {
    let mut found: Vec<_> = module
        .global_variables
        .iter()
        .filter_map(|(_, global)| {
            let place = global.binding?;
            let kind = match global.space {
                AddressSpace::Storage { access } if access.contains(naga::StorageAccess::STORE) => Binding::Write,
                AddressSpace::Storage { .. } => Binding::Read,
                _ => Binding::Uniform,
            };
            Some((place.group, place.binding, kind))
        })
        .collect();
    found.sort_by_key(|(group, binding, _)| (*group, *binding));
    let own = [Binding::Uniform].iter().chain(kernel.bindings()).map(|kind| (0, *kind));
    let cache = [Binding::Uniform, Binding::Write, Binding::Write].map(|kind| (1, kind));
    let said = own.zip(0..).chain(cache.into_iter().zip(0..).take(if kernel.has_cache() { 3 } else { 0 }));
    let said: Vec<_> = said.map(|((group, kind), binding)| (group, binding, kind)).collect();
    assert_eq!(found, said, "{name}");
}

fn limits(name: &str, module: &naga::Module) {
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let globals = || module.global_variables.iter().map(|(_, global)| global);
    let storage = globals().filter(|g| matches!(g.space, AddressSpace::Storage { .. })).count();
    assert!(storage <= STORAGE_BUFFERS, "{name}: {storage} storage buffers");
    let shared: u32 = globals().filter(|g| g.space == AddressSpace::WorkGroup).map(|g| layouter[g.ty].size).sum();
    assert!(shared <= WORKGROUP_BYTES, "{name}: {shared} bytes of workgroup memory");
    let [entry] = module.entry_points.as_slice() else { panic!("{name}: one entry point") };
    let invocations: u32 = entry.workgroup_size.iter().product();
    assert!(invocations <= INVOCATIONS, "{name}: {invocations} invocations");
}

fn private_arrays(name: &str, module: &naga::Module) {
    let entries = module.entry_points.iter().map(|entry| &entry.function);
    let functions = module.functions.iter().map(|(_, f)| f).chain(entries);
    for (_, local) in functions.flat_map(|f| f.local_variables.iter()) {
        if let naga::TypeInner::Array { size: naga::ArraySize::Constant(size), .. } = module.types[local.ty].inner {
            assert!(size.get() <= PRIVATE_ELEMENTS, "{name}: a private array of {size}");
        }
    }
}
