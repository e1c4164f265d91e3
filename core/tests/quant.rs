//! Quant formats against hand-computed blocks, against the `gguf` package, and against their own packed planes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp)]

use kinglet::quant::{self, Arena, FORMATS, Format, Packed, Scales, TILE};
use proptest::prelude::*;
use std::ops::Range;
use std::sync::Mutex;

fn dequantise(format: &Format, bytes: &[u8]) -> Vec<f32> {
    let mut out = vec![f32::MAX; bytes.len() / format.bytes * format.weights];
    (format.dequantise)(bytes, &mut out);
    out
}

fn arena(format: &Format, rows: usize, cols: usize) -> Arena {
    Arena::new([Packed::size(format.packed.unwrap().0, rows, cols)]).unwrap()
}

fn pack(format: &Format, rows: usize, cols: usize, bytes: &[u8], threads: usize) -> Packed {
    Packed::pack(format, format.packed.unwrap().0, rows, cols, bytes, threads, &mut arena(format, rows, cols), &|_| {})
        .unwrap()
}

/// Equal to the bit, or both not a number.
fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// A block of zeros but for `bytes` has `weights` at these columns: computed by hand from the definition of the format.
#[test]
#[rustfmt::skip]
fn blocks_computed_by_hand() {
    type Case = (&'static str, &'static [(usize, u8)], &'static [(usize, f32)]);
    // Halves: 0x3800 = 0.5, 0x3c00 = 1, 0x4000 = 2.
    const CASES: [Case; 15] = [
        ("F32", &[(2, 0xc0), (3, 0x3f)], &[(0, 1.5)]),
        ("F16", &[(1, 0x3e)], &[(0, 1.5)]),
        ("BF16", &[(0, 0xc0), (1, 0x3f)], &[(0, 1.5)]),
        ("Q4_0", &[(1, 0x40), (2, 0x3a)], &[(0, 4.0), (1, -16.0), (16, -10.0), (31, -16.0)]),
        ("Q4_1", &[(1, 0x40), (3, 0x38), (4, 0x3a)], &[(0, 20.5), (1, 0.5), (16, 6.5)]),
        ("Q5_0", &[(1, 0x40), (2, 0x01), (4, 0x02), (6, 0x3a)], &[(0, 20.0), (1, -32.0), (16, -26.0), (17, 0.0)]),
        ("Q5_1", &[(1, 0x40), (3, 0x38), (4, 0x01), (8, 0x3a)], &[(0, 52.5), (1, 0.5), (16, 6.5)]),
        ("Q8_0", &[(1, 0x40), (2, 0x80), (33, 0x7f)], &[(0, -256.0), (1, 0.0), (31, 254.0)]),
        ("Q2_K", &[(81, 0x3c), (83, 0x38), (0, 0x23), (2, 0x05), (9, 0x41), (16, 0xe4), (64, 0x03)],
            &[(0, -1.0), (32, 5.0), (64, 0.0), (144, 1.0), (145, -2.0)]),
        ("Q3_K", &[(109, 0x3c), (96, 0x05), (104, 0x03), (101, 0x07), (105, 0x04), (32, 0x02), (0, 0x01), (48, 0x30), (16, 0x04)],
            &[(0, 42.0), (1, -84.0), (80, -27.0), (128, 128.0)]),
        ("Q4_K", &[(1, 0x3c), (3, 0x38), (4, 0x8a), (8, 0x41), (12, 0x73), (16, 0xf2), (80, 0x09)],
            &[(0, 19.5), (1, -0.5), (32, 0.0), (128, 303.5), (129, -11.5), (160, 0.0)]),
        ("Q5_K", &[(1, 0x3c), (3, 0x38), (4, 0x8a), (8, 0x41), (12, 0x73), (16, 0x11), (48, 0xf2), (112, 0x09)],
            &[(0, 179.5), (1, -0.5), (32, 0.0), (128, 863.5), (129, -11.5)]),
        ("Q6_K", &[(209, 0x38), (192, 0xfe), (196, 3), (207, 1), (0, 0x5a), (128, 0x31), (127, 0xf0), (191, 0xc0)],
            &[(0, 6.0), (1, 32.0), (32, 0.0), (64, 31.5), (254, -16.0), (255, 15.5)]),
        ("IQ4_NL", &[(1, 0x40), (2, 0x0f)], &[(0, 226.0), (1, -254.0), (16, -254.0)]),
        ("IQ4_XS", &[(1, 0x3c), (2, 0x02), (3, 0xc0), (4, 0x03), (7, 0x10), (8, 0x8f), (135, 0x70)],
            &[(0, 339.0), (16, 3.0), (255, -170.0), (254, -2159.0)]),
    ];
    for (name, bytes, weights) in CASES {
        let format = quant::by_name(name).unwrap();
        let mut block = vec![0; format.bytes];
        for (at, byte) in bytes {
            block[*at] = *byte;
        }
        let out = dequantise(format, &block);
        for (column, weight) in weights {
            assert_eq!(out[*column], *weight, "{name} column {column}");
        }
    }
    assert!(FORMATS.iter().all(|format| CASES.iter().any(|case| case.0 == format.name)));
}

/// Random blocks, read by the `gguf` package of GGML's authors; see `data/quant/make.py`.
#[test]
fn blocks_read_as_the_gguf_package_reads_them() {
    for format in FORMATS {
        let path = format!("{}/tests/data/quant/{}.bin", env!("CARGO_MANIFEST_DIR"), format.name.to_lowercase());
        let file = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (bytes, values) = file.split_at(2 * 512 / format.weights * format.bytes);
        let values: Vec<f32> = values.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let ours = dequantise(format, bytes);
        assert_eq!(ours.len(), values.len(), "{}", format.name);
        for (i, (ours, theirs)) in ours.iter().zip(&values).enumerate() {
            assert!(ours == theirs, "{} weight {i}: {ours} instead of {theirs}", format.name);
        }
        if format.packed.is_some() {
            let packed = pack(format, 2, 512, bytes, 1);
            let mut row = vec![0.0; 512];
            packed.unpack_row(1, &mut row);
            assert!(row == values[512..], "{} packed", format.name);
        }
    }
}

#[test]
fn formats_are_found_by_number_and_name() {
    for format in FORMATS {
        assert!(std::ptr::eq(quant::by_ggml_type(format.ggml_type).unwrap(), format));
        assert!(std::ptr::eq(quant::by_name(&format.name.to_lowercase()).unwrap(), format));
        assert_eq!(quant::ggml_name(format.ggml_type), Some(format.name));
    }
    assert!(quant::by_ggml_type(16).is_none() && quant::by_name("IQ2_XXS").is_none());
    assert_eq!(quant::ggml_name(16), Some("IQ2_XXS"));
    assert_eq!(quant::ggml_name(4000), None);
}

/// The words of a plane lie where the documentation of `quant` says.
#[test]
fn planes_lie_as_documented() {
    let (rows, cols) = (70, 512);
    let blocks = cols / 32;
    let noise = |len: usize| -> Vec<u8> { (0..len).map(|i| ((i * 2_654_435_761) >> 7) as u8).collect() };

    let q8 = quant::by_name("q8_0").unwrap();
    let bytes = noise(rows * blocks * 34);
    let packed = pack(q8, rows, cols, &bytes, 1);
    let block = &bytes[(66 * blocks + 3) * 34..][..34];
    assert_eq!(packed.d()[(blocks + 3) * 64 + 2].to_le_bytes(), block[..2]);
    for w in 0..8 {
        let word = packed.low()[((blocks + 3) * 8 + w) * 64 + 2].to_le_bytes();
        assert_eq!(word.map(|byte| byte ^ 0x80), block[2 + 4 * w..6 + 4 * w], "word {w}");
    }
    assert_eq!((packed.rows(), packed.cols(), packed.tiles(), packed.blocks()), (70, 512, 2, 16));
    assert_eq!(packed.bytes(), 2 * 64 * blocks * 34);
    assert_eq!(Packed::size(packed.layout(), rows, cols), packed.bytes());
    assert!(packed.high().is_empty() && packed.m().is_empty() && packed.sub().is_empty() && packed.submin().is_empty());
    // Rows 70 to 127 are padding.
    assert!((0..blocks).all(|kb| packed.d()[(blocks + kb) * 64 + 6..(blocks + kb + 1) * 64].iter().all(|d| *d == 0)));
    assert_eq!(packed.low().as_ptr().addr() % 64, 0);

    let q4 = quant::by_name("q4_0").unwrap();
    let bytes = noise(rows * blocks * 18);
    let packed = pack(q4, rows, cols, &bytes, 1);
    let block = &bytes[(5 * blocks + 9) * 18..][..18];
    for w in 0..4 {
        let word = packed.low()[(9 * 4 + w) * 64 + 5].to_le_bytes();
        assert_eq!(word, block[2 + 4 * w..6 + 4 * w], "nibbles keep the file's order, word {w}");
    }

    let q6 = quant::by_name("q6_k").unwrap();
    let bytes = noise(rows * 2 * 210);
    let packed = pack(q6, rows, cols, &bytes, 1);
    let block = &bytes[(66 * 2 + 1) * 210..][..210];
    assert_eq!(packed.layout().scales, Scales::Super { group: 16 });
    assert_eq!(packed.d()[(2 + 1) * 64 + 2].to_le_bytes(), block[208..210]);
    for g in 0..16 {
        let (kb, g32) = (8 + g / 2, g % 2);
        assert_eq!(packed.sub()[((blocks + kb) * 2 + g32) * 64 + 2], block[192 + g].cast_signed(), "scale {g}");
    }
}

#[test]
fn pieces_cover_the_source_once() {
    let format = quant::by_name("Q8_0").unwrap();
    let (rows, cols) = (3001, 512);
    let bytes: Vec<u8> = (0..rows * cols / 32 * 34).map(|i| (i % 251) as u8).collect();
    let pieces: Mutex<Vec<Range<usize>>> = Mutex::default();
    let mut arena = arena(format, rows, cols);
    let packed = Packed::pack(format, format.packed.unwrap().0, rows, cols, &bytes, 3, &mut arena, &|piece| {
        pieces.lock().unwrap().push(piece);
    })
    .unwrap();
    let mut pieces = pieces.into_inner().unwrap();
    pieces.sort_by_key(|piece| piece.start);
    assert!(pieces.len() > 1);
    assert_eq!(pieces[0].start, 0);
    assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start));
    assert_eq!(pieces[pieces.len() - 1].end, bytes.len());
    let alone = pack(format, rows, cols, &bytes, 1);
    assert!(alone.low() == packed.low() && alone.d() == packed.d());
}

#[test]
fn what_cannot_be_packed_is_refused() {
    let refused = |name: &str, rows, cols, bytes: usize| {
        let format = quant::by_name(name).unwrap();
        let layout = format.packed.map_or(quant::by_name("Q4_0").unwrap().packed.unwrap().0, |(layout, _)| layout);
        Packed::pack(format, layout, rows, cols, &vec![0; bytes], 1, &mut Arena::new([1 << 20]).unwrap(), &|_| {})
            .err()
            .unwrap()
            .to_string()
    };
    assert!(refused("F16", 1, 32, 64).contains("no packed layout"));
    assert!(refused("Q4_K", 1, 288, 162).contains("288 columns"));
    assert!(refused("Q4_0", 2, 32, 18).contains("18 bytes are not 2 rows of 18"));
    assert!(refused("Q4_0", usize::MAX, 64, 36).contains("36 bytes"));
    assert!(refused("Q4_0", 0, 32, 0).contains("0 bytes"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Any bytes at all: scales that are subnormal, negative, infinite or not a number, and blocks of zeros.
    #[test]
    fn unpacking_a_row_is_dequantising_it(
        which in 3usize..15,
        rows in 1usize..140,
        supers in 1usize..4,
        threads in 1usize..4,
        zeros in 0usize..4,
        seed in any::<u64>(),
    ) {
        let format = FORMATS[which];
        let cols = supers * if format.weights == 32 { 96 } else { 256 };
        let row_bytes = cols / format.weights * format.bytes;
        let mut state = seed | 1;
        let mut bytes = Vec::with_capacity(rows * row_bytes);
        while bytes.len() < rows * row_bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.push((state >> 56) as u8);
        }
        for block in bytes.chunks_exact_mut(format.bytes).step_by(zeros + 2) {
            block.fill(0);
        }
        let packed = pack(format, rows, cols, &bytes, threads);
        let mut out = vec![0.0; cols];
        for (row, bytes) in bytes.chunks_exact(row_bytes).enumerate() {
            packed.unpack_row(row, &mut out);
            let values = dequantise(format, bytes);
            for (column, (a, b)) in out.iter().zip(&values).enumerate() {
                prop_assert!(same(*a, *b), "{} row {row} column {column}: {a} instead of {b}", format.name);
            }
        }
        for row in [rows, packed.tiles() * TILE - 1, packed.tiles() * TILE] {
            if row >= rows {
                packed.unpack_row(row, &mut out);
                prop_assert!(out.iter().all(|x| *x == 0.0));
            }
        }
    }
}
