//! Writes the corpora that the fuzzers begin with. Run in `core/fuzz`: `cargo +nightly run --bin seeds`

#[path = "../tests/common/mini.rs"]
mod mini;
#[path = "../tests/common/writer.rs"]
mod writer;

use std::io::Result;
use std::path::Path;

/// Larger files make slow runs.
const LONGEST: u64 = 128 << 10;

fn main() -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in ["gguf", "open"] {
        let folder = here.join("corpus").join(target);
        std::fs::create_dir_all(&folder)?;
        for (name, file) in mini::all() {
            std::fs::write(folder.join(name), file.bytes())?;
            std::fs::write(folder.join(format!("{name}-v2")), writer::Writer { version: 2, ..file }.bytes())?;
        }
        for models in ["tiny", "tiny_extra"] {
            for entry in std::fs::read_dir(here.join("../tests/data").join(models))? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().ends_with(".gguf") && entry.metadata()?.len() <= LONGEST {
                    std::fs::copy(entry.path(), folder.join(entry.file_name()))?;
                }
            }
        }
    }
    let folder = here.join("corpus/text");
    std::fs::create_dir_all(&folder)?;
    for (i, text) in [
        mini::TEMPLATE,
        "{% set ns = namespace(a='') %}{% for m in messages if m.role != 'system' %}{% set ns.a = ns.a + m.content %}{% endfor %}{{ ns.a | upper | trim }}",
        "{% macro f(x, y=2) %}{{ x ~ y }}{% endmacro %}{{ f('a') }}{{ messages[0]['content'].split(' ')[-1] | tojson }}",
        "{{ bos_token }}{%- if messages[0].role == 'system' -%}{{ raise_exception('no') }}{%- else %}{{ strftime_now('%Y') }}{%- endif %}",
        "The bird — 🐦 — ab abc <|im_start|>user\n  1234 it's\u{a0}\t<tag></s>",
    ]
    .iter()
    .enumerate()
    {
        std::fs::write(folder.join(i.to_string()), text)?;
    }
    Ok(())
}
