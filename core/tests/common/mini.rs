//! Models of one layer and a few kilobytes, made here, whole and right: what tests damage and fuzzers begin with.
//! Include it beside `writer` with `#[path = "common/mini.rs"] mod mini;`.
#![allow(dead_code)]

use crate::writer::{Writer, array, kind, string};

pub const WIDTH: u64 = 32;
/// Tokens of either vocabulary.
pub const VOCAB: u64 = 24;
/// A chat template with a loop, a condition and the generation prompt.
pub const TEMPLATE: &str = "{% for m in messages %}{{ m.role ~ ': ' ~ m.content | trim }}\n{% endfor %}\
{% if add_generation_prompt %}assistant: {% endif %}";

/// A llama with a `SentencePiece` vocabulary.
pub fn llama() -> Writer {
    spm(body(Writer::default(), "llama"))
}

/// A gemma3: windows, soft caps, four norms a layer.
pub fn gemma3() -> Writer {
    let sizes = Writer::default()
        .u32("gemma3.attention.sliding_window", 4)
        .f32("gemma3.final_logit_softcapping", 30.0)
        .f32("gemma3.rope.freq_base", 1e6);
    let writer = spm(body(sizes, "gemma3")).str("tokenizer.chat_template", TEMPLATE);
    ["attn_q_norm", "attn_k_norm"]
        .iter()
        .fold(writer, |writer, name| writer.ones(&format!("blk.0.{name}.weight"), 16))
        .ones("blk.0.post_attention_norm.weight", WIDTH)
        .ones("blk.0.post_ffw_norm.weight", WIDTH)
}

/// A qwen2 with a byte-level vocabulary, biases, a head of its own and a chat template.
pub fn qwen2() -> Writer {
    bpe(body(Writer::default(), "qwen2"))
        .str("tokenizer.chat_template", TEMPLATE)
        .ones("blk.0.attn_q.bias", 32)
        .ones("blk.0.attn_k.bias", 16)
        .ones("blk.0.attn_v.bias", 16)
        .matrix("output.weight", WIDTH, VOCAB)
}

/// A qwen3: norms of the heads.
pub fn qwen3() -> Writer {
    bpe(body(Writer::default(), "qwen3")).ones("blk.0.attn_q_norm.weight", 16).ones("blk.0.attn_k_norm.weight", 16)
}

/// All of them, by name.
pub fn all() -> [(&'static str, Writer); 4] {
    [("llama", llama()), ("gemma3", gemma3()), ("qwen2", qwen2()), ("qwen3", qwen3())]
}

/// Sizes and tensors that all families have.
fn body(writer: Writer, architecture: &str) -> Writer {
    let key = |name: &str| format!("{architecture}.{name}");
    writer
        .str("general.architecture", architecture)
        .u32(&key("block_count"), 1)
        .u32(&key("embedding_length"), WIDTH as u32)
        .u32(&key("feed_forward_length"), 32)
        .u32(&key("attention.head_count"), 2)
        .u32(&key("attention.head_count_kv"), 1)
        .u32(&key("context_length"), 64)
        .f32(&key("attention.layer_norm_rms_epsilon"), 1e-6)
        .matrix("token_embd.weight", WIDTH, VOCAB)
        .ones("blk.0.attn_norm.weight", WIDTH)
        .matrix("blk.0.attn_q.weight", WIDTH, 32)
        .matrix("blk.0.attn_k.weight", WIDTH, 16)
        .matrix("blk.0.attn_v.weight", WIDTH, 16)
        .matrix("blk.0.attn_output.weight", 32, WIDTH)
        .ones("blk.0.ffn_norm.weight", WIDTH)
        .matrix("blk.0.ffn_gate.weight", WIDTH, 32)
        .matrix("blk.0.ffn_up.weight", WIDTH, 32)
        .matrix("blk.0.ffn_down.weight", 32, WIDTH)
        .ones("output_norm.weight", WIDTH)
}

fn spm(writer: Writer) -> Writer {
    let tokens = "<unk> <s> </s> ▁ a b c d e ab bc abc ▁a ▁ab : \n u s r t ▁us er <tag> <0x41>";
    let tokens: Vec<&str> = tokens.split(' ').collect();
    let kinds: Vec<i32> = tokens.iter().map(|token| kind_of(token)).collect();
    let scores: Vec<f32> = (0..tokens.len()).map(|i| -(i as f32)).collect();
    writer
        .str("tokenizer.ggml.model", "llama")
        .strings("tokenizer.ggml.tokens", &tokens)
        .f32s("tokenizer.ggml.scores", &scores)
        .i32s("tokenizer.ggml.token_type", &kinds)
        .u32("tokenizer.ggml.unknown_token_id", 0)
        .u32("tokenizer.ggml.bos_token_id", 1)
        .u32("tokenizer.ggml.eos_token_id", 2)
}

fn bpe(writer: Writer) -> Writer {
    let tokens = "<|im_end|> <|im_start|> <tag> a b c d e r s t u : Ġ Ċ ab abc Ġa us er use user Ġab th";
    let tokens: Vec<&str> = tokens.split(' ').collect();
    let kinds: Vec<i32> = tokens.iter().map(|token| kind_of(token)).collect();
    let merges = ["a b", "ab c", "Ġ a", "Ġa b", "u s", "e r", "us e", "us er"];
    writer
        .str("tokenizer.ggml.model", "gpt2")
        .str("tokenizer.ggml.pre", "qwen2")
        .strings("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &kinds)
        .strings("tokenizer.ggml.merges", &merges)
        .u32("tokenizer.ggml.eos_token_id", 0)
        .u32("tokenizer.ggml.bos_token_id", 1)
        .bool("tokenizer.ggml.add_bos_token", false)
}

/// GGUF's number of a token's type.
fn kind_of(token: &str) -> i32 {
    match token {
        "<unk>" => 2,
        "<tag>" => 4,
        "<0x41>" => 6,
        "<s>" | "</s>" => 3,
        token if token.starts_with("<|") => 3,
        _ => 1,
    }
}

impl Writer {
    /// A `Q8_0` matrix of small weights, some of each sign.
    pub fn matrix(self, name: &str, cols: u64, rows: u64) -> Self {
        let seed = name.len() as u64;
        let mut data = Vec::new();
        for block in 0..cols / 32 * rows {
            // The scale, an f16: 1/64.
            data.extend(0x2400u16.to_le_bytes());
            data.extend((0..32).map(|i| ((block * 31 + i * 17 + seed * 7) % 41) as u8).map(|x| x.wrapping_sub(20)));
        }
        self.tensor(name, &[cols, rows], 8, data)
    }

    /// An f32 vector of ones.
    pub fn ones(self, name: &str, len: u64) -> Self {
        self.tensor(name, &[len], 0, 1f32.to_le_bytes().repeat(len as usize))
    }

    /// The token of this id becomes this text.
    pub fn token(self, id: usize, text: &str) -> Self {
        self.element("tokenizer.ggml.tokens", id, text)
    }

    /// The merge of this rank becomes this text.
    pub fn merge(self, rank: usize, text: &str) -> Self {
        self.element("tokenizer.ggml.merges", rank, text)
    }

    /// The token of this id gets this type.
    pub fn token_type(mut self, id: usize, number: i32) -> Self {
        let key = b"tokenizer.ggml.token_type";
        if let Some((_, _, value)) = self.pairs.iter_mut().find(|pair| pair.0 == key) {
            value[12 + 4 * id..][..4].copy_from_slice(&number.to_le_bytes());
        }
        self
    }

    /// Changes one string of an array.
    fn element(mut self, key: &str, index: usize, text: &str) -> Self {
        if let Some((_, _, value)) = self.pairs.iter_mut().find(|pair| pair.0 == key.as_bytes()) {
            let mut rest = &value[12..];
            let mut texts = Vec::new();
            while let Some((len, after)) = rest.split_first_chunk::<8>() {
                let (text, after) = after.split_at(u64::from_le_bytes(*len) as usize);
                texts.push(text.to_vec());
                rest = after;
            }
            texts[index] = text.as_bytes().to_vec();
            *value = array(kind::STR, texts.len() as u64, &texts.iter().flat_map(string).collect::<Vec<_>>());
        }
        self
    }
}
