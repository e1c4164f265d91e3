//! Opens any bytes as GGUF and walks everything that a reader could touch. Run in `core/`:
//! `cargo +nightly fuzz run gguf -- -max_total_time=600 -rss_limit_mb=512`
#![no_main]

use kinglet::gguf::{Gguf, Value};
use kinglet::model;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(gguf) = Gguf::from_bytes(bytes.to_vec()) else { return };
    let metadata = gguf.metadata();
    for (key, value) in metadata.iter() {
        let _ = value.to_string();
        let _ = (metadata.u64(key), metadata.f32(key), metadata.bool(key), metadata.str(key));
        let _ = metadata.i32s(key).map(|numbers| numbers.map(Iterator::count));
        let _ = metadata.f32s(key).map(|numbers| numbers.map(Iterator::count));
        let _ = metadata.strings(key).map(|strings| strings.map(Iterator::count));
        if let Value::Array(array) = value {
            assert_eq!(array.iter().count(), array.len());
        }
    }
    for tensor in gguf.tensors() {
        let found = gguf.tensor(&tensor.name).expect("every listed tensor is found by its name");
        assert_eq!(found.range, tensor.range);
        let bytes = gguf.bytes(&tensor.range);
        assert_eq!(bytes.len(), tensor.range.len());
        let mut out = vec![0.0; bytes.len() / tensor.format.bytes * tensor.format.weights];
        (tensor.format.dequantise)(bytes, &mut out);
    }
    let _ = model::config(&gguf);
});
