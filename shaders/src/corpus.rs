//! Minimal shaders for known bugs of drivers, embedded. Each is a module of its own.

/// What each entry is, what goes in and what must come out, in JSON.
pub const LIST: &str = include_str!("../corpus/corpus.json");

macro_rules! shaders {
    ($($name:literal)*) => {
        /// Names of entries with their WGSL.
        pub static SHADERS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../corpus/", $name, ".wgsl")))),*];
    };
}

shaders! {
    "integer_remainder"
    "dot_packed"
    "unpack_bytes"
    "not_a_number"
    "tanh_large"
    "nested_loops"
    "early_return"
    "loop_bound"
    "long_loop"
    "const_array"
    "private_array"
    "override_length"
    "workgroup_broadcast"
    "workgroup_sum"
    "workgroup_bool"
    "group_shape"
    "large_binding"
    "subgroup_size"
    "subgroup_add"
    "subgroup_shuffle"
    "private_vec4_array"
    "dead_arm"
}

/// The WGSL of an entry.
pub fn shader(name: &str) -> Option<&'static str> {
    SHADERS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
