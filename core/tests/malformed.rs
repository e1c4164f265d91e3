//! Hostile files: each is a typed error that says what is wrong, without a panic and without much memory.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/memory.rs"]
mod memory;
#[path = "common/writer.rs"]
mod writer;

use kinglet::gguf::{Gguf, Value};
use kinglet::{Error, Result};
use proptest::prelude::*;
use writer::{Writer, array, kind, string};

/// A small valid file with a value of every kind and two tensors.
fn base() -> Writer {
    Writer::default()
        .str("general.architecture", "llama")
        .u32("llama.block_count", 1)
        .f32("llama.attention.layer_norm_rms_epsilon", 1e-5)
        .bool("tokenizer.ggml.add_bos_token", true)
        .strings("tokenizer.ggml.tokens", &["<s>", "a", "éa"])
        .f32s("tokenizer.ggml.scores", &[0.0, -1.0, -2.5])
        .i32s("tokenizer.ggml.token_type", &[3, 1, 1])
        .zeros("output_norm.weight", &[32])
        .tensor("token_embd.weight", &[32, 2], 8, vec![1; 68])
}

/// A spoiled last tensor of [`base`].
fn spoilt(change: impl FnOnce(&mut writer::Tensor)) -> Vec<u8> {
    base().spoil(change).bytes()
}

/// A file that ends right behind the first occurrence of `text` plus `more` bytes; its counts promise no more than the
/// pair or tensor which is cut, so that it is this one that fails.
fn cut(text: &str, more: usize) -> Vec<u8> {
    let find = |bytes: &[u8]| bytes.windows(text.len()).position(|window| window == text.as_bytes());
    let mut writer = base();
    writer.pair_count =
        writer.pairs.iter().position(|(key, _, value)| find(key).or(find(value)).is_some()).map(|i| i as u64 + 1);
    if writer.pair_count.is_some() {
        writer.tensors.clear();
    } else {
        writer.tensors.remove(0);
        writer = writer.spoil(|tensor| tensor.name = format!("{}{}", "long.".repeat(8), "token_embd.weight").into());
    }
    let mut bytes = writer.bytes();
    let at = find(&bytes).unwrap();
    bytes.truncate(at + text.len() + more);
    bytes
}

/// A file whose only pair is this one.
fn one(kind: u32, value: impl AsRef<[u8]>) -> Vec<u8> {
    Writer::default().pair("k", kind, value).bytes()
}

fn with(change: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = base();
    change(&mut writer);
    writer.bytes()
}

/// Case, file, kind of the error, and something that its message says.
type Case = (&'static str, Vec<u8>, &'static str, &'static str);

#[rustfmt::skip]
fn truncated() -> Vec<Case> {
    let start = |len| base().bytes()[..len].to_vec();
    vec![
        ("empty file", vec![], "gguf", "magic number needs 4 bytes"),
        ("cut in the magic number", start(3), "gguf", "magic number needs 4 bytes"),
        ("cut in the version", start(6), "gguf", "version needs 4 bytes"),
        ("cut in the tensor count", start(12), "gguf", "number of tensors needs 8 bytes"),
        ("cut in the pair count", start(20), "gguf", "number of tensors is 2, but only"),
        ("cut behind the counts", start(24), "gguf", "left in the file"),
        ("cut in a key's length", with(|w| { w.pair_count = Some(1); w.pairs.clear(); w.tensors.clear(); })[..24].iter().copied().chain([9; 3]).collect(), "gguf", "number of metadata pairs is 1"),
        ("cut in a key", Writer { pair_count: Some(1), ..Writer::default() }.bytes().into_iter().chain(string("general.architecture").into_iter().take(14)).collect(), "gguf", "length of a metadata key is 20"),
        ("cut in a value type", cut("llama.block_count", 2), "gguf", "value type of"),
        ("cut in a scalar", cut("llama.block_count", 6), "gguf", "metadata value needs 4 bytes"),
        ("cut in a bool", cut("add_bos_token", 4), "gguf", "metadata value needs 1 bytes"),
        ("cut in a string's length", cut("general.architecture", 9), "gguf", "length of a string value needs 8"),
        ("cut in a string", cut("general.architecture", 14), "gguf", "length of a string value is 5"),
        ("cut in an array's type", cut("tokenizer.ggml.scores", 6), "gguf", "array's element type needs 4"),
        ("cut in an array's length", cut("tokenizer.ggml.scores", 10), "gguf", "array's length needs 8"),
        ("cut in an array's numbers", cut("tokenizer.ggml.scores", 20), "gguf", "array's length is 3"),
        ("cut in an array's strings", cut("é", 0), "gguf", "length of a string value is 3, but only 2"),
        ("cut in a tensor's name", cut("token_embd.w", 0), "gguf", "length of a tensor's name is 57"),
        ("cut in a dimension count", cut("token_embd.weight", 3), "gguf", "number of dimensions of tensor"),
        ("cut in a dimension", cut("token_embd.weight", 15), "gguf", "a dimension of tensor"),
        ("cut in a tensor's type", cut("token_embd.weight", 22), "gguf", "type of tensor"),
        ("cut in a tensor's offset", cut("token_embd.weight", 30), "gguf", "offset of tensor"),
        ("cut before the data", cut("token_embd.weight", 32), "gguf", "but the file ends at"),
        ("cut in the data", { let b = base().bytes(); b[..b.len() - 1].to_vec() }, "gguf", "\"token_embd.weight\" takes 68 bytes"),
    ]
}

#[rustfmt::skip]
fn header() -> Vec<Case> {
    vec![
        ("not a GGUF file", b"PK\x03\x04 and so on".to_vec(), "gguf", "not \"GGUF\""),
        ("big-endian magic number", with(|w| w.magic = *b"FUGG"), "gguf", "big-endian"),
        ("big-endian version", with(|w| w.version = 3u32.swap_bytes()), "gguf", "big-endian"),
        ("version 0", with(|w| w.version = 0), "gguf", "version 0 is not supported"),
        ("version 1", with(|w| w.version = 1), "gguf", "version 1 is not supported"),
        ("version 4", with(|w| w.version = 4), "gguf", "version 4 is not supported"),
        ("huge tensor count", with(|w| w.tensor_count = Some(u64::MAX)), "gguf", "number of tensors is 18446744073709551615"),
        ("tensor count that overflows", with(|w| w.tensor_count = Some(1 << 60)), "gguf", "number of tensors is"),
        ("one tensor too many", with(|w| w.tensor_count = Some(3)), "gguf", ""),
        ("more tensors than alignment leaves room for", with(|w| w.tensor_count = Some(7)), "gguf", "7 tensors cannot fit"),
        ("huge pair count", with(|w| w.pair_count = Some(u64::MAX)), "gguf", "number of metadata pairs is 18446744073709551615"),
        ("one pair too many", with(|w| w.pair_count = Some(8)), "gguf", ""),
        ("one pair too few", with(|w| w.pair_count = Some(6)), "gguf", ""),
    ]
}

#[rustfmt::skip]
fn metadata() -> Vec<Case> {
    let huge = u64::MAX.to_le_bytes();
    vec![
        ("huge key length", Writer { pair_count: Some(1), ..Writer::default() }.bytes().into_iter().chain(huge).chain([0; 16]).collect(), "gguf", "length of a metadata key is 18446744073709551615"),
        ("empty key", Writer::default().pair("", kind::U8, [1]).bytes(), "gguf", "metadata key has 0 bytes"),
        ("key that is too long", Writer::default().pair(vec![b'k'; 65536], kind::U8, [1]).bytes(), "gguf", "metadata key has 65536 bytes"),
        ("key that is not UTF-8", Writer::default().pair([b'k', 0xff], kind::U8, [1]).bytes(), "gguf", "metadata key is not valid UTF-8"),
        ("duplicate key", base().u32("llama.block_count", 2).bytes(), "gguf", "\"llama.block_count\" is there twice"),
        ("unknown value type", one(13, [0; 8]), "gguf", "value type of \"k\" is 13"),
        ("huge value type", one(u32::MAX, [0; 8]), "gguf", "is 4294967295"),
        ("bool that is 2", one(kind::BOOL, [2]), "gguf", "a bool is 2"),
        ("bool that is 255 in an array", one(kind::ARRAY, array(kind::BOOL, 3, &[0, 1, 255])), "gguf", "a bool is 255"),
        ("huge string", one(kind::STR, huge), "gguf", "length of a string value is 18446744073709551615"),
        ("string longer than the file", one(kind::STR, [&100u64.to_le_bytes()[..], b"short"].concat()), "gguf", "is 100, but only 5"),
        ("string that is not UTF-8", one(kind::STR, string([b'a', 0xc3, 0x28])), "gguf", "not valid UTF-8"),
        ("string that is not UTF-8 in an array", one(kind::ARRAY, array(kind::STR, 2, &[string("a"), string([0x80])].concat())), "gguf", "not valid UTF-8"),
        ("huge array", one(kind::ARRAY, array(kind::U8, u64::MAX, &[])), "gguf", "array's length is 18446744073709551615"),
        ("array whose bytes overflow", one(kind::ARRAY, array(kind::U64, 1 << 61, &[0; 8])), "gguf", "array's length is 2305843009213693952"),
        ("array longer than the file", one(kind::ARRAY, array(kind::F32, 3, &[0; 8])), "gguf", "array's length is 3, but only 8"),
        ("array of a billion strings", one(kind::ARRAY, array(kind::STR, 1_000_000_000, &[0; 64])), "gguf", "array's length is 1000000000"),
        ("array whose last string is cut", one(kind::ARRAY, array(kind::STR, 2, &[string("a"), huge.to_vec()].concat())), "gguf", "length of a string value is"),
        ("array of an unknown type", one(kind::ARRAY, array(99, 1, &[0; 8])), "gguf", "element type is 99"),
        ("array of arrays", one(kind::ARRAY, array(kind::ARRAY, 1, &array(kind::U8, 1, &[1]))), "gguf", "an array holds arrays"),
        ("arrays nested a thousand deep", one(kind::ARRAY, array(kind::ARRAY, 1, &[]).repeat(1000)), "gguf", "an array holds arrays"),
        ("alignment 0", with(|w| { w.pairs.push((b"general.alignment".to_vec(), kind::U32, 0u32.to_le_bytes().to_vec())); }), "gguf", "general.alignment is 0"),
        ("alignment 48", with(|w| { w.pairs.push((b"general.alignment".to_vec(), kind::U32, 48u32.to_le_bytes().to_vec())); }), "gguf", "not a power of two"),
        ("alignment of 2 GiB", with(|w| { w.pairs.push((b"general.alignment".to_vec(), kind::U32, (1u32 << 31).to_le_bytes().to_vec())); }), "gguf", "general.alignment is 2147483648"),
        ("alignment that is a string", base().str("general.alignment", "32").bytes(), "metadata", "general.alignment: is a string"),
        ("alignment that the offsets do not keep", base().u32("general.alignment", 1024).bytes(), "gguf", ""),
    ]
}

#[rustfmt::skip]
fn tensors() -> Vec<Case> {
    vec![
        ("empty tensor name", spoilt(|t| t.name.clear()), "gguf", "tensor's name has 0 bytes"),
        ("tensor name that is too long", spoilt(|t| t.name = vec![b'n'; 300]), "gguf", "tensor's name has 300 bytes"),
        ("tensor name that is not UTF-8", spoilt(|t| t.name = vec![0xff, 0xfe]), "gguf", "tensor's name is not valid UTF-8"),
        ("duplicate tensor", spoilt(|t| t.name = b"output_norm.weight".to_vec()), "gguf", "\"output_norm.weight\" is there twice"),
        ("no dimensions", spoilt(|t| t.shape.clear()), "gguf", "has 0 dimensions"),
        ("five dimensions", spoilt(|t| t.shape = vec![32, 1, 1, 1, 1]), "gguf", "has 5 dimensions"),
        ("zero dimension", spoilt(|t| t.shape = vec![32, 0]), "gguf", "zero dimension"),
        ("zero columns", spoilt(|t| t.shape = vec![0, 2]), "gguf", "zero dimension"),
        ("dimensions that overflow", spoilt(|t| t.shape = vec![1 << 32, 1 << 32]), "gguf", "too large for any file"),
        ("dimensions that overflow to a small product", spoilt(|t| t.shape = vec![1 << 63, 2, 32]), "gguf", "too large for any file"),
        ("bytes that overflow", spoilt(|t| { t.shape = vec![1 << 62]; t.ggml_type = 0; }), "gguf", "too large for any file"),
        ("huge dimension", spoilt(|t| t.shape = vec![32, 1 << 40]), "gguf", "but the file ends at"),
        ("one row too many", spoilt(|t| t.shape = vec![32, 3]), "gguf", "takes 102 bytes"),
        ("rows that are not whole blocks", spoilt(|t| t.shape = vec![48, 1]), "gguf", "rows of 48 weights, not a multiple of Q8_0's blocks of 32"),
        ("rows that are not whole super-blocks", spoilt(|t| { t.shape = vec![128, 2]; t.ggml_type = 12; }), "gguf", "Q4_K's blocks of 256"),
        ("offset that is not aligned", spoilt(|t| t.offset = Some(129)), "gguf", "starts at 129, not a multiple of 32"),
        ("offset beyond the file", spoilt(|t| t.offset = Some(1 << 20)), "gguf", "but the file ends at"),
        ("offset that overflows", spoilt(|t| t.offset = Some(u64::MAX - 31)), "gguf", "token_embd.weight"),
        ("offset whose end overflows", spoilt(|t| t.offset = Some(u64::MAX - 127)), "gguf", "token_embd.weight"),
        ("overlapping tensors", spoilt(|t| t.offset = Some(96)), "gguf", "\"token_embd.weight\" overlaps tensor \"output_norm.weight\""),
        ("two tensors in one place", spoilt(|t| t.offset = Some(0)), "gguf", "overlaps"),
        ("format without a decoder", spoilt(|t| t.ggml_type = 16), "unsupported_format", "token_embd.weight is stored as IQ2_XXS"),
        ("format of activations", spoilt(|t| t.ggml_type = 15), "unsupported_format", "stored as Q8_K"),
        ("format that nobody knows", spoilt(|t| t.ggml_type = 77), "unsupported_format", "stored as type number 77"),
        ("integers as weights", spoilt(|t| t.ggml_type = 26), "unsupported_format", "known formats: F32, F16, BF16, Q4_0"),
    ]
}

/// Opens a file and reads everything in it.
fn walk(bytes: Vec<u8>) -> Result<()> {
    let gguf = Gguf::from_bytes(bytes)?;
    for (key, value) in gguf.metadata().iter() {
        assert!(gguf.metadata().get(key)?.is_some());
        let shown = value.to_string();
        assert!(shown.len() < 4096, "{key} takes {} bytes to show", shown.len());
        if let Value::Array(array) = value {
            assert_eq!(array.iter().count(), array.len());
        }
    }
    for tensor in gguf.tensors() {
        assert!(std::ptr::eq(gguf.tensor(&tensor.name).unwrap(), tensor));
        assert_eq!(gguf.bytes(&tensor.range).len(), tensor.range.len());
    }
    Ok(())
}

#[test]
fn every_case_is_a_typed_error_in_little_memory() {
    let cases = [truncated(), header(), metadata(), tensors()].concat();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    for (name, bytes, kind, message) in cases {
        let len = bytes.len();
        let (result, peak) = memory::peak(|| walk(bytes));
        let Err(error) = result else { panic!("{name}: opened") };
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(message), "{name}: {error}");
        if let Error::Gguf { offset, .. } = error {
            // A range beyond the file's end is reported where it starts.
            assert!(
                offset <= len as u64 || message.contains("ends at") || message.contains("token_embd"),
                "{name}: {offset}"
            );
        }
        // A message is not counted against the file: the smallest file has fewer bytes than one.
        assert!(peak <= 2 * len + 2048, "{name}: {peak} bytes for a file of {len}");
    }
}

#[test]
fn tables_of_tiny_entries_stay_within_twice_the_file() {
    let mut pairs = Writer::default();
    for i in 0..20_000u32 {
        pairs = pairs.pair(i.to_string(), kind::U8, [0]);
    }
    let mut tensors = Writer { alignment: 8, ..Writer::default() }.u32("general.alignment", 8);
    for i in 0..20_000u32 {
        tensors = tensors.zeros(&i.to_string(), &[1]);
    }
    for writer in [pairs, tensors] {
        let bytes = writer.bytes();
        let len = bytes.len();
        let (result, peak) = memory::peak(|| Gguf::from_bytes(bytes).map(drop));
        result.unwrap();
        assert!(peak <= 2 * len, "{peak} bytes for a file of {len}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let whole = base().bytes();
    walk(whole.clone()).unwrap();
    for len in 0..whole.len() {
        assert!(walk(whole[..len].to_vec()).is_err(), "opened when cut to {len} bytes");
    }
}

#[test]
fn a_good_file_is_read_as_written() {
    for version in [2, 3] {
        let bytes = Writer { version, ..base() }
            .pair("half", kind::F64, 0.5f64.to_le_bytes())
            .pair("minus", kind::I8, [0xff])
            .strings("none", &[])
            .str("long", &"x".repeat(1000))
            .bytes();
        let gguf = Gguf::from_bytes(bytes.clone()).unwrap();
        let metadata = gguf.metadata();
        assert_eq!((gguf.version(), gguf.len(), metadata.len()), (version, bytes.len(), 11));
        assert_eq!(metadata.str("general.architecture").unwrap(), Some("llama"));
        assert_eq!(metadata.u64("llama.block_count").unwrap(), Some(1));
        assert_eq!(metadata.usize("llama.block_count").unwrap(), Some(1));
        assert_eq!(metadata.f32("llama.attention.layer_norm_rms_epsilon").unwrap(), Some(1e-5));
        assert_eq!(metadata.f32("half").unwrap(), Some(0.5));
        assert_eq!(metadata.bool("tokenizer.ggml.add_bos_token").unwrap(), Some(true));
        assert_eq!(metadata.u64("absent").unwrap(), None);
        let tokens: Vec<&str> = metadata.strings("tokenizer.ggml.tokens").unwrap().unwrap().collect();
        assert_eq!(tokens, ["<s>", "a", "éa"]);
        assert_eq!(metadata.f32s("tokenizer.ggml.scores").unwrap().unwrap().collect::<Vec<_>>(), [0.0, -1.0, -2.5]);
        assert_eq!(metadata.i32s("tokenizer.ggml.token_type").unwrap().unwrap().collect::<Vec<_>>(), [3, 1, 1]);
        assert_eq!(metadata.u32s("tokenizer.ggml.token_type").unwrap().unwrap().len(), 3);
        assert_eq!(metadata.strings("none").unwrap().unwrap().len(), 0);

        let wrong = |result: Result<()>| result.unwrap_err().to_string();
        assert!(wrong(metadata.u64("minus").map(drop)).contains("metadata minus: is the integer -1"));
        assert!(wrong(metadata.u64("half").map(drop)).contains("unsigned integer was expected"));
        assert!(wrong(metadata.f32("llama.block_count").map(drop)).contains("float"));
        assert!(wrong(metadata.str("llama.block_count").map(drop)).contains("string"));
        assert!(wrong(metadata.bool("half").map(drop)).contains("bool"));
        assert!(wrong(metadata.strings("tokenizer.ggml.scores").map(drop)).contains("array of 3 f32 values"));
        assert!(wrong(metadata.u32s("tokenizer.ggml.scores").map(drop)).contains("integers"));
        assert!(wrong(metadata.f32s("tokenizer.ggml.tokens").map(drop)).contains("floats"));

        let shown: Vec<String> = metadata.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        assert_eq!(shown[0], "general.architecture = \"llama\"");
        assert_eq!(shown[4], "tokenizer.ggml.tokens = [\"<s>\", \"a\", \"éa\"]");
        assert!(shown[10].ends_with("x\"… (1000 bytes)"), "{}", shown[10]);

        let tensor = gguf.tensor("token_embd.weight").unwrap();
        assert_eq!((tensor.shape.as_slice(), tensor.format.name), (&[32, 2][..], "Q8_0"));
        assert_eq!(gguf.bytes(&tensor.range), [1; 68]);
        assert!(gguf.tensor("output.weight").is_none());
        assert!(gguf.bytes(&(bytes.len()..bytes.len() + 1)).is_empty());
    }
}

#[test]
fn a_mapped_file_can_be_released_and_read_again() {
    let data: Vec<u8> = (0..1 << 20).map(|i: u32| (i % 253) as u8).collect();
    let bytes = base().tensor("big", &[1 << 18], 0, data.clone()).bytes();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, bytes).unwrap();
    let gguf = Gguf::open(&path).unwrap();
    let range = gguf.tensor("big").unwrap().range.clone();
    assert_eq!(gguf.bytes(&range), data);
    gguf.release(range.clone());
    gguf.release(0..usize::MAX);
    gguf.release(usize::MAX..usize::MAX);
    assert_eq!(gguf.bytes(&range), data);

    assert_eq!(Gguf::open(&folder.path().join("absent.gguf")).err().unwrap().kind(), "io");
    assert_eq!(Gguf::open(folder.path()).err().unwrap().kind(), "io");
    std::fs::write(&path, b"").unwrap();
    assert_eq!(Gguf::open(&path).err().unwrap().kind(), "gguf");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = base().bytes();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let len = bytes.len();
        let (_, peak) = memory::peak(|| Gguf::from_bytes(bytes.clone()).map(drop));
        prop_assert!(peak <= 2 * len + 2048, "{peak} bytes for a file of {len}");
        let _ = walk(bytes);
    }
}
