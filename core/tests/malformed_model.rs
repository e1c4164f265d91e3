//! Whole GGUF files that hold no model: opened as an app would, each is a typed error that names the thing and the way
//! out, without a panic and without much memory. And odd files that are right, which open and compute the same.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/memory.rs"]
mod memory;
#[path = "common/mini.rs"]
mod mini;
#[path = "common/writer.rs"]
mod writer;

use kinglet::{Cancel, DeviceChoice, Diagnose, Engine, Options, Result, Sampling};
use mini::{all, gemma3, llama, qwen2, qwen3};
use writer::{Writer, array, kind, string};

/// Case, file, kind of the error, and something that its message says.
type Case = (String, Writer, &'static str, &'static str);

/// What messages and small tables may take besides twice the file, whatever is in it.
const OWN: usize = 2 << 10;
/// The same where only the template is wrong, which is looked at last: the compiled patterns of the pre-tokenizer.
const PATTERNS: usize = 1200 << 10;

fn case(name: &str, file: Writer, kind: &'static str, message: &'static str) -> Case {
    (name.into(), file, kind, message)
}

/// Opens a file of these bytes for small runs.
fn open(bytes: &[u8], device: DeviceChoice) -> Result<Engine> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let options = Options { device, threads: Some(1), prefill_chunk: 4, context: Some(32), ..Options::default() };
    Engine::open(file.path(), &options)
}

fn u32s(key: &str, value: u32) -> Writer {
    llama().set(key, kind::U32, value.to_le_bytes())
}

fn u64s(key: &str, value: u64) -> Writer {
    llama().set(key, kind::U64, value.to_le_bytes())
}

fn f32s(key: &str, value: f32) -> Writer {
    llama().set(key, kind::F32, value.to_le_bytes())
}

fn text(file: Writer, key: &str, value: &str) -> Writer {
    file.set(key, kind::STR, string(value))
}

#[rustfmt::skip]
fn sizes() -> Vec<Case> {
    let meta = "metadata";
    let mut cases: Vec<Case> = ["block_count", "embedding_length", "feed_forward_length", "attention.head_count", "context_length", "attention.layer_norm_rms_epsilon"]
        .map(|key| (format!("no {key}"), llama().without(&format!("llama.{key}")), meta, "is missing")).into();
    for key in ["block_count", "embedding_length", "feed_forward_length", "attention.head_count", "attention.head_count_kv", "context_length", "attention.key_length", "rope.dimension_count"] {
        let full = format!("llama.{key}");
        cases.push((format!("{key} 0"), u32s(&full, 0), meta, "is 0, expected 1 to"));
        cases.push((format!("{key} 2^31"), u32s(&full, 1 << 31), meta, "is 2147483648, expected 1 to"));
        cases.push((format!("{key} 2^63"), u64s(&full, 1 << 63), meta, "is 9223372036854775808, expected 1 to"));
        cases.push((format!("{key} -1"), llama().set(&full, kind::I32, (-1i32).to_le_bytes()), meta, "is the integer -1"));
        cases.push((format!("{key} text"), text(llama(), &full, "1"), meta, "is a string, where an unsigned integer was expected"));
        cases.push((format!("{key} for each layer"), llama().set(&full, kind::ARRAY, array(kind::U32, 1, &[1, 0, 0, 0])), meta, "is an array of 1 u32 values"));
    }
    for (key, name) in [("llama.attention.layer_norm_rms_epsilon", "eps"), ("llama.rope.freq_base", "rope base"), ("llama.rope.scaling.factor", "rope factor")] {
        for value in [f32::NAN, -f32::NAN, f32::INFINITY, -1.0, 0.0, -0.0, 1e-45] {
            cases.push((format!("{name} {value}"), f32s(key, value), meta, "expected a finite number above 0"));
        }
        cases.push((format!("{name} text"), text(llama(), key, "1e-5"), meta, "is a string, where a float was expected"));
        cases.push((format!("{name} too small for f32"), llama().set(key, kind::F64, 1e-300f64.to_le_bytes()), meta, "expected a finite number above 0"));
    }
    cases.extend([
        case("no architecture", llama().without("general.architecture"), meta, "general.architecture: is missing"),
        case("architecture number", llama().set("general.architecture", kind::U32, [0; 4]), meta, "where a string was expected"),
        case("architecture unknown", text(llama(), "general.architecture", "mamba"), "unsupported_architecture", "\"mamba\" is not supported; known architectures: gemma3"),
        case("architecture empty", text(llama(), "general.architecture", ""), "unsupported_architecture", "\"\" is not"),
        case("architecture of 100 kB", text(llama(), "general.architecture", &"\u{1}".repeat(100_000)), "unsupported_architecture", "known architectures"),
        case("architecture of another model", text(llama(), "general.architecture", "qwen3"), meta, "qwen3.block_count: is missing"),
        case("more layers than tensors", u32s("llama.block_count", 2), meta, "is 2, more than"),
        case("heads that do not divide the width", u32s("llama.attention.head_count", 3), meta, "is 3, which does not divide 32"),
        case("kv heads that do not divide", u32s("llama.attention.head_count_kv", 3), meta, "is 3, which does not divide 2"),
        case("too many kv heads", u32s("llama.attention.head_count_kv", 4), meta, "is 4, which does not divide 2"),
        case("width beyond any model", u32s("llama.embedding_length", 1 << 18), meta, "is 262144, expected 1 to 131072"),
        case("ffn beyond any model", u32s("llama.feed_forward_length", 1 << 18), meta, "is 262144, expected 1 to 131072"),
        case("heads too wide together", u32s("llama.attention.key_length", 1 << 20), meta, "is 2, with heads of 1048576"),
        case("odd head", u32s("llama.attention.key_length", 7), meta, "llama.rope.dimension_count: is 7, expected an even number"),
        case("values of another width", u32s("llama.attention.value_length", 8), meta, "heads of two sizes are not supported"),
        case("odd rope", u32s("llama.rope.dimension_count", 15), meta, "is 15, expected an even number up to the head's 16"),
        case("rope wider than the head", u32s("llama.rope.dimension_count", 18), meta, "is 18, expected an even number"),
        case("unknown rope scaling", text(llama(), "llama.rope.scaling.type", "yarn"), meta, "known: none, linear"),
        case("rope scaling of 100 kB", text(llama(), "llama.rope.scaling.type", &"y".repeat(100_000)), meta, "known: none, linear"),
        case("rope scaling number", u32s("llama.rope.scaling.type", 1), meta, "where a string was expected"),
        case("encoder", llama().bool("llama.attention.causal", false), meta, "this is an encoder"),
        case("mixture of experts", u32s("llama.expert_count", 8), meta, "changes what a llama computes"),
        case("no window", gemma3().without("gemma3.attention.sliding_window"), meta, "sliding_window: is missing"),
        case("window 0", gemma3().set("gemma3.attention.sliding_window", kind::U32, [0; 4]), meta, "sliding_window: is 0"),
        case("window pattern 0", gemma3().u32("gemma3.attention.sliding_window_pattern", 0), meta, "sliding_window_pattern: is 0"),
        case("soft cap NaN", gemma3().f32("gemma3.attn_logit_softcapping", f32::NAN), meta, "attn_logit_softcapping: is NaN"),
        case("soft cap below 0", gemma3().set("gemma3.final_logit_softcapping", kind::F32, (-30f32).to_le_bytes()), meta, "final_logit_softcapping: is -30"),
        case("local rope base NaN", gemma3().f32("gemma3.rope.freq_base_swa", f32::NAN), meta, "rope.freq_base_swa: is NaN"),
    ]);
    cases
}

#[rustfmt::skip]
fn tensors() -> Vec<Case> {
    let shape = "tensor_shape";
    let mut cases = Vec::new();
    for (family, file) in all() {
        for tensor in &file.tensors {
            let name = String::from_utf8(tensor.name.clone()).unwrap();
            if name != "output.weight" {
                cases.push((format!("{family} without {name}"), file.clone().without(&name), "missing_tensor", "is missing; the file is incomplete"));
            }
            let taller = file.clone().alter(&name, |t| { t.data.extend(t.data.clone()); *t.shape.last_mut().unwrap() *= 2; });
            if name == "token_embd.weight" {
                cases.push((format!("{family} with more rows than tokens"), taller, "metadata", "has 24 tokens, but token_embd.weight has 48 rows"));
            } else {
                cases.push((format!("{family} with twice {name}"), taller, shape, "but the metadata demands"));
            }
            cases.push((format!("{family} with one more dimension of {name}"), file.clone().alter(&name, |t| t.shape.push(1)), shape, "but the metadata demands"));
        }
    }
    let floats = |file: Writer, name: &str, shape: &[u64]| file.alter(name, |t| { *t = writer::Tensor { shape: shape.to_vec(), ggml_type: 0, data: vec![0; 4 * shape.iter().product::<u64>() as usize], ..t.clone() }; });
    cases.extend([
        case("transposed matrix", floats(llama(), "blk.0.attn_k.weight", &[16, 32]), shape, "blk.0.attn_k.weight has shape [16, 32], but the metadata demands [32, 16]"),
        case("matrix in one dimension", floats(llama(), "blk.0.attn_k.weight", &[512]), shape, "has shape [512]"),
        case("norm as a column", floats(llama(), "output_norm.weight", &[1, 32]), shape, "has shape [1, 32]"),
        case("norm in blocks", llama().alter("output_norm.weight", |t| { t.ggml_type = 8; t.data = vec![0; 34]; }), "unsupported_format", "F32, F16, BF16 for vectors"),
        case("embedding in one dimension", floats(llama(), "token_embd.weight", &[768]), "metadata", "token_embd.weight has 1 rows"),
        case("embedding of another width", floats(llama(), "token_embd.weight", &[16, 24]), shape, "token_embd.weight has shape [16, 24]"),
        case("rope factors for another head", llama().ones("rope_freqs.weight", 7), shape, "rope_freqs.weight has shape [7], but the metadata demands [8]"),
        case("another width in the metadata", u32s("llama.embedding_length", 64), shape, "demands [64, 24]"),
        case("another ffn in the metadata", u32s("llama.feed_forward_length", 64), shape, "blk.0.ffn_gate.weight"),
        case("another head in the metadata", u32s("llama.attention.key_length", 32), shape, "blk.0.attn_q.weight"),
        case("no tensors", { let mut w = llama(); w.tensors.clear(); w }, "missing_tensor", "token_embd.weight is missing"),
    ]);
    cases
}

#[rustfmt::skip]
fn tokenizers() -> Vec<Case> {
    let token = "tokenizer";
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    let ids = |name: &str, id: u32| llama().set(&key(&format!("{name}_token_id")), kind::U32, id.to_le_bytes());
    let scores = |n: usize, x: f32| llama().set(&key("scores"), kind::ARRAY, array(kind::F32, n as u64, &x.to_le_bytes().repeat(n)));
    let types = |n: usize, x: i32| llama().set(&key("token_type"), kind::ARRAY, array(kind::I32, n as u64, &x.to_le_bytes().repeat(n)));
    let numbers = |file: Writer, name: &str| file.set(&key(name), kind::ARRAY, array(kind::U32, 24, &[0; 96]));
    vec![
        case("no tokenizer", llama().without(&key("model")), token, "tokenizer.ggml.model is missing"),
        case("tokenizer number", u32s(&key("model"), 1), "metadata", "where a string was expected"),
        case("tokenizer unknown", text(llama(), &key("model"), "bert"), token, "model \"bert\" (tokenizer.ggml.model) is not supported; known ones: llama, gpt2"),
        case("tokenizer of 100 kB", text(llama(), &key("model"), &"\u{7}".repeat(100_000)), token, "(100000 bytes)"),
        case("no tokens", llama().without(&key("tokens")), "metadata", "llama.vocab_size: is missing"),
        case("no tokens, but their number", llama().without(&key("tokens")).u32("llama.vocab_size", 24), token, "tokenizer.ggml.tokens is missing"),
        case("no tokens at all", llama().set(&key("tokens"), kind::ARRAY, array(kind::STR, 0, &[])), "metadata", "has 0 tokens, but token_embd.weight has 24 rows"),
        case("tokens that are numbers", numbers(llama(), "tokens"), "metadata", "is an array of 24 u32 values, where an array of strings was expected"),
        case("one token too few", llama().set(&key("tokens"), kind::ARRAY, array(kind::STR, 23, &string("x").repeat(23))), "metadata", "has 23 tokens, but token_embd.weight has 24 rows"),
        case("tokens that are equal", llama().token(5, "a"), token, "tokens 4 and 5 have the same text \"a\""),
        case("token of 5000 bytes", llama().token(5, &"b".repeat(5000)), token, "token 5 is 5000 bytes long, more than 4096"),
        case("token types of text", llama().set(&key("token_type"), kind::ARRAY, array(kind::STR, 24, &string("1").repeat(24))), "metadata", "token_type: is an array of 24 string values"),
        case("token type 0 of text", text(llama(), &key("token_type"), "normal"), "metadata", "token_type: is a string"),
        case("token type 7", llama().token_type(4, 7), token, "token 4 has the unknown type 7"),
        case("token type -1", llama().token_type(4, -1), "metadata", "token_type: is an array of 24 i32 values"),
        case("token type 2^31-1", llama().token_type(4, i32::MAX), token, "token 4 has the unknown type 2147483647"),
        case("one type too few", types(23, 1), token, "token_type has 23 entries"),
        case("one type too many", types(25, 1), token, "token_type has 25 entries"),
        case("no scores", llama().without(&key("scores")), token, "tokenizer.ggml.scores is missing"),
        case("scores that are numbers", numbers(llama(), "scores"), "metadata", "where an array of floats was expected"),
        case("score NaN", scores(24, f32::NAN), token, "the score of token 0 is not a number"),
        case("one score too few", scores(23, 0.0), token, "tokenizer.ggml.scores has 23 entries for 24 tokens"),
        case("one score too many", scores(25, 0.0), token, "tokenizer.ggml.scores has 25 entries for 24 tokens"),
        case("bos beyond the tokens", ids("bos", 24), token, "the bos token is 24, but there are 24 tokens"),
        case("eos beyond the tokens", ids("eos", u32::MAX), token, "the eos token is 4294967295"),
        case("unknown beyond the tokens", ids("unknown", 24), token, "the unknown token is 24"),
        case("end of turn beyond the tokens", ids("eot", 24), token, "the end-of-turn token is 24"),
        case("eos -1", llama().set(&key("eos_token_id"), kind::I32, (-1i32).to_le_bytes()), "metadata", "eos_token_id: is the integer -1"),
        case("eos text", text(llama(), &key("eos_token_id"), "</s>"), "metadata", "eos_token_id: is a string"),
        case("bos flag number", u32s(&key("add_bos_token"), 1), "metadata", "where a bool was expected"),
        case("byte token of one digit", llama().token(23, "<0x4>"), token, "byte token 23 is \"<0x4>\", not <0x00> to <0xFF>"),
        case("byte token of a long text", llama().token(23, &"é".repeat(2000)), token, "byte token 23 is"),
        case("text that nothing stands for", llama().without(&key("unknown_token_id")), token, "neither a token for each byte nor an unknown token"),
        case("no merges", qwen2().without(&key("merges")), token, "tokenizer.ggml.merges is missing"),
        case("merges that are numbers", numbers(qwen2(), "merges"), "metadata", "where an array of strings was expected"),
        case("merge of one piece", qwen2().merge(7, "us"), token, "merge 7 is \"us\", not two pieces"),
        case("merge of nothing", qwen2().merge(7, ""), token, "merge 7 is \"\", not two pieces"),
        case("merge of spaces", qwen2().merge(7, "  "), token, "merge 7 is \"  \", not two pieces"),
        case("merge with nothing, which would go round", qwen2().token(23, "").merge(7, "a "), token, "merge 7 is \"a \", not two pieces"),
        case("merge of an unknown piece", qwen2().merge(7, "us z"), token, "merge 7 (\"us z\") needs \"z\", which is not in the vocabulary"),
        case("merge into an unknown piece", qwen2().merge(7, "a c"), token, "needs \"ac\""),
        case("merge of three pieces", qwen2().merge(7, "u s e"), token, "needs \"s e\""),
        case("merge of 100 kB", qwen2().merge(7, &"\u{1} ".repeat(50_000)), token, "(100000 bytes)"),
        case("pre-tokenizer unknown", text(qwen2(), &key("pre"), "mine"), token, "pre-tokenizer \"mine\" (tokenizer.ggml.pre) is not supported; known ones"),
        case("pre-tokenizer number", qwen2().set(&key("pre"), kind::U32, [0; 4]), "metadata", "where a string was expected"),
    ]
}

#[rustfmt::skip]
fn templates() -> Vec<Case> {
    let template = |source: &str| text(qwen2(), "tokenizer.chat_template", source);
    let wrong = "template";
    vec![
        case("template number", qwen2().set("tokenizer.chat_template", kind::U32, [0; 4]), "metadata", "where a string was expected"),
        case("template cut in a tag", template("{% for m in messages"), wrong, "chat template: "),
        case("template cut in a block", template("{% for m in messages %}{{ m }}"), wrong, "chat template: "),
        case("template with an unknown tag", template("{% launch missiles %}"), wrong, "launch"),
        case("template with a long unknown tag", template(&format!("{{% {} %}}", "x".repeat(200_000))), wrong, "chat template: "),
        case("template that is too long", template(&"x".repeat((1 << 20) + 1)), wrong, "it is 1048577 bytes long, more than 1048576"),
        case("template of nested brackets", template(&format!("{{{{ {}", "(".repeat(100_000))), wrong, "chat template: "),
        case("template of nested lists", template(&format!("{{{{ {}1{} }}}}", "[".repeat(10_000), "]".repeat(10_000))), wrong, "chat template: "),
        case("template of nested conditions", template(&"{% if true %}".repeat(10_000)), wrong, "chat template: "),
        case("template of many signs", template(&format!("{{{{ {}1 }}}}", "-".repeat(1_000_000))), wrong, "501 words and signs in one tag (line 1) are more than 500"),
        case("template of many branches", template(&format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(80_000))), wrong, "201 branches"),
        case("template of many filters", template(&format!("{{{{ a{} }}}}", "|trim".repeat(100_000))), wrong, "501 words and signs"),
        case("template of many sums", template(&format!("{{{{ a{} }}}}", "+a".repeat(100_000))), wrong, "501 words and signs"),
        case("template of many parts", template(&format!("{{{{ a{} }}}}", ".b".repeat(100_000))), wrong, "501 words and signs"),
        case("template of many choices", template(&format!("{{{{ a{} }}}}", " if a else a".repeat(80_000))), wrong, "501 words and signs"),
        case("template of many nots", template(&format!("{{{{ {}1 }}}}", "not ".repeat(200_000))), wrong, "501 words and signs"),
    ]
}

#[test]
fn every_case_is_a_typed_error_in_little_memory() {
    const WAYS_OUT: [&str; 5] = ["again", "another", "known architectures", "known formats", "give "];
    let cases = [sizes(), tensors(), tokenizers(), templates()].concat();
    assert!(cases.len() > 200, "only {} cases", cases.len());
    let (mut worst, mut failures) = (0, Vec::new());
    println!("{} cases", cases.len());
    for (name, file, kind, message) in cases {
        let own = if name.starts_with("template") { PATTERNS } else { OWN };
        let bytes = file.bytes();
        let (result, peak) = memory::peak(|| open(&bytes, DeviceChoice::Cpu));
        let Err(error) = result else {
            failures.push(format!("{name}: opened"));
            continue;
        };
        let text = error.to_string();
        if error.kind() != kind || !text.contains(message) || text.len() > 700 {
            failures.push(format!("{name}: {}: {text:.700}", error.kind()));
        }
        if !WAYS_OUT.iter().any(|way| text.contains(way)) {
            failures.push(format!("{name} has no way out: {text}"));
        }
        if peak > 2 * bytes.len() + own {
            failures.push(format!("{name}: {peak} bytes for a file of {}", bytes.len()));
        }
        worst = worst.max(peak.saturating_sub(2 * bytes.len() + own - OWN));
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    println!("at most {worst} bytes beyond twice the file");
}

/// What opens no engine reads the same file, and builds a graph of it too.
#[test]
fn a_claim_of_many_layers_is_refused_everywhere() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), u32s("llama.block_count", 1_000).bytes()).unwrap();
    let (options, go) = (Options::default(), Cancel::default());
    let errors = [
        Engine::open(file.path(), &options).map(drop),
        Engine::plan(file.path(), &options).map(drop),
        Engine::qualify(file.path(), &options, &mut |_, _| {}, &go).map(drop),
        Engine::diagnose(file.path(), &options, "a", &Diagnose::default(), &mut |_, _| {}, &go).map(drop),
    ];
    for error in errors.map(|result| result.unwrap_err().to_string()) {
        assert!(error.contains("block_count: is 1000, more than the file's"), "{error}");
    }
}

/// A whole model whose vocabulary is `tokens`, all of one type.
fn vocabulary(file: Writer, tokens: &[String], kind_of: i32) -> Writer {
    let n = tokens.len();
    let numbers = |kind, bytes: [u8; 4]| array(kind, n as u64, &bytes.repeat(n));
    let file = file
        .set(
            "tokenizer.ggml.tokens",
            kind::ARRAY,
            array(kind::STR, n as u64, &tokens.iter().flat_map(string).collect::<Vec<_>>()),
        )
        .set("tokenizer.ggml.token_type", kind::ARRAY, numbers(kind::I32, kind_of.to_le_bytes()))
        .alter("token_embd.weight", |t| {
            *t = writer::Tensor {
                shape: vec![32, n as u64],
                data: t.data.iter().copied().cycle().take(34 * n).collect(),
                ..t.clone()
            };
        });
    file.set("tokenizer.ggml.scores", kind::ARRAY, numbers(kind::F32, [0; 4]))
}

#[test]
fn large_vocabularies_that_are_wrong_stay_within_twice_the_file() {
    let tokens: Vec<String> = (0..100_000).map(|i| format!("{i:x}")).collect();
    let mut doubled = tokens.clone();
    doubled[99_999] = "0".into();
    let mut merges = vec![string("1 0"); 50_000];
    merges.push(string("1 -"));
    let bpe = vocabulary(qwen3(), &tokens, 1);
    let merges = array(kind::STR, merges.len() as u64, &merges.concat());
    let empty = vec![String::new(); 100_000];
    for (name, file, message) in [
        ("a token twice at the end", vocabulary(llama(), &doubled, 1), "tokens 0 and 99999 have the same text"),
        (
            "a merge at the end",
            bpe.set("tokenizer.ggml.merges", kind::ARRAY, merges),
            "merge 50000 (\"1 -\") needs \"-\"",
        ),
        (
            "control tokens of 1 MB",
            vocabulary(llama(), &tokens.iter().map(|t| format!("<|control {t:0>8}|>")).collect::<Vec<_>>(), 3),
            "more than 1048576",
        ),
        ("nothing but empty tokens", vocabulary(llama(), &empty, 6), "byte token 0 is \"\""),
    ] {
        let bytes = file.bytes();
        let (result, peak) = memory::peak(|| open(&bytes, DeviceChoice::Cpu));
        let error = result.err().unwrap_or_else(|| panic!("{name}: opened")).to_string();
        assert!(error.contains(message), "{name}: {error}");
        assert!(peak <= 2 * bytes.len() + OWN, "{name}: {peak} bytes for a file of {}", bytes.len());
    }
}

/// What a model makes of a few ids: its logits after the last, and what it says next.
fn answer(engine: &Engine) -> (Vec<f32>, Vec<u32>) {
    let mut session = engine.session().unwrap();
    session.feed(&[4, 5, 6, 7, 8], &Cancel::default()).unwrap();
    let logits = session.logits().to_vec();
    let mut generation = session.generate(&[9], &Sampling::greedy().max_tokens(4), &Cancel::default()).unwrap();
    generation.text().unwrap();
    (logits, generation.ids().to_vec())
}

/// Files that say the same as [`llama`] in other ways.
fn odd_files() -> Vec<(&'static str, Vec<u8>)> {
    let sizes = |kind: u32, bytes: &dyn Fn(u32) -> Vec<u8>| {
        let mut file = llama();
        for pair in file.pairs.iter_mut().filter(|pair| pair.1 == kind::U32) {
            let number = u32::from_le_bytes(pair.2[..].try_into().unwrap());
            *pair = (pair.0.clone(), kind, bytes(number));
        }
        file
    };
    let order = |change: &dyn Fn(&mut Writer)| {
        let mut file = llama();
        change(&mut file);
        file
    };
    let plain = llama().bytes();
    vec![
        ("version 2", Writer { version: 2, ..llama() }.bytes()),
        ("alignment 8", Writer { alignment: 8, ..llama() }.u32("general.alignment", 8).bytes()),
        ("alignment 4096", Writer { alignment: 4096, ..llama() }.u32("general.alignment", 4096).bytes()),
        ("the default alignment, said", llama().u32("general.alignment", 32).bytes()),
        ("sizes of 8 bits", sizes(kind::U8, &|n| vec![n as u8]).bytes()),
        ("sizes of 16 bits", sizes(kind::U16, &|n| (n as u16).to_le_bytes().into()).bytes()),
        ("sizes of 64 bits", sizes(kind::U64, &|n| u64::from(n).to_le_bytes().into()).bytes()),
        ("signed sizes", sizes(kind::I32, &|n| n.to_le_bytes().into()).bytes()),
        ("eps of 64 bits", {
            let eps = f64::from(1e-6f32).to_le_bytes();
            llama().set("llama.attention.layer_norm_rms_epsilon", kind::F64, eps).bytes()
        }),
        ("pairs in reverse", order(&|file| file.pairs.reverse()).bytes()),
        ("tensors in reverse", order(&|file| file.tensors.reverse()).bytes()),
        ("bytes behind the end", [plain.clone(), vec![0xff; 1000]].concat()),
        (
            "gaps between tensors",
            order(&|file| file.tensors.iter_mut().for_each(|t| t.data.extend([0xff; 100]))).bytes(),
        ),
        ("a tensor that nobody needs", llama().zeros("rope.freqs.old", &[3, 5, 7, 1]).bytes()),
        ("unknown keys of all kinds", {
            let file = llama().bool("x.bool", false).pair("x.f64", kind::F64, [0xff; 8]).str("x.str", "");
            let file = file.strings("x.strings", &[""]).f32s("x.f32s", &[f32::NAN]).i32s("x.i32s", &[]);
            file.pair("k".repeat(65_535), kind::U8, [0]).bytes()
        }),
        ("sizes that are the default", {
            llama()
                .u32("llama.attention.key_length", 16)
                .u32("llama.rope.dimension_count", 16)
                .u32("llama.vocab_size", 24)
                .bytes()
        }),
        ("rope said plainly", llama().f32("llama.rope.freq_base", 1e4).str("llama.rope.scaling.type", "none").bytes()),
        ("rope factors of 1", llama().ones("rope_freqs.weight", 8).bytes()),
        (
            "a head that is the embedding",
            order(&|file| {
                let head = writer::Tensor { name: b"output.weight".to_vec(), ..file.tensors[0].clone() };
                file.tensors.push(head);
            })
            .bytes(),
        ),
        (
            "norms of 16 bits",
            llama()
                .alter("output_norm.weight", |t| {
                    t.ggml_type = 1;
                    t.data = 0x3c00u16.to_le_bytes().repeat(32);
                })
                .bytes(),
        ),
        (
            "norms of brain floats",
            llama()
                .alter("output_norm.weight", |t| {
                    t.ggml_type = 30;
                    t.data = 0x3f80u16.to_le_bytes().repeat(32);
                })
                .bytes(),
        ),
        ("no token types", llama().token(23, "x").without("tokenizer.ggml.token_type").bytes()),
        (
            "no bos and no eos",
            llama().without("tokenizer.ggml.bos_token_id").without("tokenizer.ggml.eos_token_id").bytes(),
        ),
        ("empty tokens", llama().token(21, "").token(22, "").bytes()),
        (
            "scores without an end",
            llama()
                .set(
                    "tokenizer.ggml.scores",
                    kind::ARRAY,
                    array(kind::F32, 24, &f32::NEG_INFINITY.to_le_bytes().repeat(24)),
                )
                .bytes(),
        ),
        ("an empty template", llama().str("tokenizer.chat_template", "").bytes()),
        (
            "a template that is refused only when it is used",
            llama().str("tokenizer.chat_template", "{{ nothing() }}").bytes(),
        ),
    ]
}

#[test]
fn odd_files_that_are_right_compute_the_same() {
    let (plain, odd) = (llama().bytes(), odd_files());
    for device in [DeviceChoice::Cpu, DeviceChoice::Reference] {
        let (logits, ids) = answer(&open(&plain, device).unwrap());
        assert!(logits.iter().any(|l| *l != logits[0]), "the model says something");
        for (name, bytes) in &odd {
            let engine = open(bytes, device).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (other, answered) = answer(&engine);
            assert_eq!(other, logits, "{name}");
            // Without an end of the text the model may go on.
            assert!(answered.starts_with(&ids) || name.contains("eos"), "{name}: {answered:?}, not {ids:?}");
        }
        for (name, file) in all() {
            for version in [2, 3] {
                answer(
                    &open(&Writer { version, ..file.clone() }.bytes(), device)
                        .unwrap_or_else(|error| panic!("{name}: {error}")),
                );
            }
        }
    }
}

#[test]
fn a_merge_twice_and_a_long_tail_of_spaces_are_no_harm() {
    let engine = open(&qwen2().merge(7, "a b").bytes(), DeviceChoice::Cpu).unwrap();
    let ids =
        engine.tokenizer().encode(&format!("abc{}", " ".repeat(100_000)), kinglet::tokenizer::Special::Plain).unwrap();
    assert_eq!(ids[0], 16, "abc is one token");
}

#[test]
fn the_deepest_templates_that_are_taken_fit_a_small_stack() {
    let nested =
        |before: &str, n: usize, inside: &str, after: &str| [&before.repeat(n), inside, &after.repeat(n)].concat();
    let branches = |inside: &str| format!("{{% if a %}}{}{inside}{{% endif %}}", "{% elif a %}".repeat(200));
    let minus = format!("{{{{ {}1 }}}}", "-".repeat(498));
    for (name, source) in [
        ("signs", minus.clone()),
        ("nots", format!("{{{{ {}a }}}}", "not ".repeat(498))),
        ("sums", format!("{{{{ a{} }}}}", " ~ a".repeat(249))),
        ("filters", format!("{{{{ a{} }}}}", "|trim".repeat(249))),
        ("parts", format!("{{{{ a{} }}}}", ".b".repeat(249))),
        ("choices", format!("{{{{ a{} }}}}", " if a else a".repeat(124))),
        ("branches in blocks", nested("{% if true %}", 140, &branches(&minus), "{% endif %}")),
    ] {
        let bytes = text(qwen2(), "tokenizer.chat_template", &source).bytes();
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let opened =
            thread.spawn(move || open(&bytes, DeviceChoice::Cpu).map(|engine| drop(engine.prompt("a")))).unwrap();
        opened.join().unwrap().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn damaged_weights_are_an_error_of_the_run() {
    let nan = f32::NAN.to_le_bytes();
    for (name, file) in [
        ("norm", llama().alter("output_norm.weight", |t| t.data = nan.repeat(32))),
        ("scales", llama().alter("blk.0.ffn_down.weight", |t| t.data.fill(0xff))),
        ("embedding", llama().alter("token_embd.weight", |t| t.data.fill(0x7f))),
        ("rope factors", llama().ones("rope_freqs.weight", 8).spoil(|t| t.data.fill(0))),
        ("bias", qwen2().alter("blk.0.attn_q.bias", |t| t.data = nan.repeat(32))),
        ("keys", llama().alter("blk.0.attn_k.weight", |t| t.data.fill(0xfc))),
    ] {
        for device in [DeviceChoice::Cpu, DeviceChoice::Reference] {
            let mut session = open(&file.bytes(), device).unwrap().session().unwrap();
            let error = session.feed(&[4, 5, 6], &Cancel::default()).err().unwrap_or_else(|| panic!("{name}: ran"));
            assert_eq!(error.kind(), "non_finite", "{name}: {error}");
            assert!(session.logits().is_empty(), "{name}");
        }
    }
}
