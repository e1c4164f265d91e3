//! The decoder that all families share: one loop over layers.

use super::Config;
use crate::graph::{Builder, Graph, NodeId, Role, Slot, SlotId, WeightId};
use crate::ops::{Attend, Embed, Gated, Matmul, Op, RmsNorm, Rope, Softcap};

/// The graph of one step: token ids in, logits of the wanted rows out.
pub fn decoder(config: &Config) -> Graph {
    let mut b = Decoder { config, builder: Builder::default() };
    let table = b.builder.weight("token_embd.weight", config.width, config.vocab, Role::Table);
    let mut x = b.builder.node("token_embd", Op::Embed(Embed { table, scale: config.embed_scale }), &[]); // [rows, width]

    for layer in 0..config.layers {
        let name = |part: &str| format!("blk.{layer}.{part}");

        let h = b.norm(&name("attn_norm"), config.width, x);
        let (mut q, cache) = b.queries(layer, h);
        if layer + 1 == config.layers {
            // Nothing after the last cache reads rows whose logits are not wanted.
            q = b.builder.node("output_queries", Op::PickRows, &[q]); // [wanted, heads * head_dim]
            x = b.builder.node("output_rows", Op::PickRows, &[x]); // [wanted, width]
        }
        let h = b.attention(layer, q, cache);
        let h = if config.post_norms { b.norm(&name("post_attention_norm"), config.width, h) } else { h };
        x = b.builder.node(name("attn_residual"), Op::Add, &[x, h]);

        let h = b.norm(&name("ffn_norm"), config.width, x);
        let gate = b.matmul(&name("ffn_gate"), config.width, config.ffn, false, h); // [rows, ffn]
        let up = b.matmul(&name("ffn_up"), config.width, config.ffn, false, h);
        let h = b.builder.node(name("ffn_act"), Op::Gated(Gated { activation: config.activation }), &[gate, up]);
        let h = b.matmul(&name("ffn_down"), config.ffn, config.width, false, h);
        let h = if config.post_norms { b.norm(&name("post_ffw_norm"), config.width, h) } else { h };
        x = b.builder.node(name("l_out"), Op::Add, &[x, h]);
    }

    let x = b.norm("output_norm", config.width, x);
    let head = if config.tied_output { "token_embd.weight" } else { "output.weight" };
    let weight = b.builder.weight(head, config.width, config.vocab, Role::Matrix);
    let logits = b.builder.node("output", Op::Matmul(Matmul { weight, bias: None }), &[x]); // [wanted, vocab]
    if let Some(cap) = config.logit_softcap {
        b.builder.node("output_softcap", Op::Softcap(Softcap { cap }), &[logits]);
    }
    b.builder.finish()
}

struct Decoder<'a> {
    config: &'a Config,
    builder: Builder,
}

impl Decoder<'_> {
    /// A layer's queries `[rows, heads * head_dim]`, and its cache with the step's keys and values appended.
    fn queries(&mut self, layer: usize, h: NodeId) -> (NodeId, NodeId) {
        let c = self.config;
        let name = |part: &str| format!("blk.{layer}.{part}");
        let (q_width, kv_width) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);

        let mut q = self.matmul(&name("attn_q"), c.width, q_width, c.qkv_bias, h); // [rows, heads * head_dim]
        let mut k = self.matmul(&name("attn_k"), c.width, kv_width, c.qkv_bias, h); // [rows, kv_heads * head_dim]
        let v = self.matmul(&name("attn_v"), c.width, kv_width, c.qkv_bias, h);
        if c.qk_norm {
            q = self.norm(&name("attn_q_norm"), c.head_dim, q);
            k = self.norm(&name("attn_k_norm"), c.head_dim, k);
        }
        let rope = self.rope(layer);
        q = self.builder.node(name("attn_q_rope"), Op::Rope(rope.clone()), &[q]);
        k = self.builder.node(name("attn_k_rope"), Op::Rope(rope), &[k]);

        let window = if c.is_global(layer) { None } else { c.window };
        let slot = self.builder.slot(Slot { kv_heads: c.kv_heads, head_dim: c.head_dim, window });
        (q, self.builder.node(name("attn_kv"), Op::Append(slot), &[k, v]))
    }

    /// What a layer's heads saw, `[rows, width]`.
    fn attention(&mut self, layer: usize, q: NodeId, cache: NodeId) -> NodeId {
        let c = self.config;
        let name = |part: &str| format!("blk.{layer}.{part}");
        let attend =
            Attend { slot: SlotId(layer), heads: c.heads, scale: c.attention_scale, softcap: c.attention_softcap };
        let heads = self.builder.node(name("attn_heads"), Op::Attend(attend), &[q, cache]); // [rows, heads * head_dim]
        self.matmul(&name("attn_output"), c.heads * c.head_dim, c.width, false, heads)
    }

    fn rope(&mut self, layer: usize) -> Rope {
        let c = self.config;
        let kind = if c.is_global(layer) { c.rope } else { c.local_rope };
        let factors = c.rope_factors.then(|| self.vector("rope_freqs.weight", kind.dims / 2));
        Rope { head_dim: c.head_dim, dims: kind.dims, base: kind.base, scale: kind.scale, pairing: c.pairing, factors }
    }

    /// A norm over groups of `dim` columns, with the weight of its own name.
    fn norm(&mut self, name: &str, dim: usize, x: NodeId) -> NodeId {
        let weight = self.vector(&format!("{name}.weight"), dim);
        self.builder.node(name, Op::RmsNorm(RmsNorm { weight, eps: self.config.norm_eps, dim }), &[x])
    }

    /// A product with the weight (and bias) of its own name.
    fn matmul(&mut self, name: &str, cols: usize, rows: usize, bias: bool, x: NodeId) -> NodeId {
        let weight = self.builder.weight(format!("{name}.weight"), cols, rows, Role::Matrix);
        let bias = bias.then(|| self.vector(&format!("{name}.bias"), rows));
        self.builder.node(name, Op::Matmul(Matmul { weight, bias }), &[x])
    }

    fn vector(&mut self, name: &str, len: usize) -> WeightId {
        self.builder.weight(name, len, 1, Role::Vector)
    }
}
