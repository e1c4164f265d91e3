//! Which kernels there are, by what they depend on, and which files make each.

use crate::Source;
use crate::files::{self, File};

/// A kernel; what it computes is said at the top of its file in `ops/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Activations to integers.
    Quantise(Activations),
    /// Products with a packed matrix, for a few rows.
    MatmulVector(Products),
    /// Products with a packed matrix, for many rows.
    MatmulTile(Products),
    /// Products with plain floats.
    MatmulFloat(Plain),
    /// Root-mean-square norm.
    RmsNorm,
    /// Rotary position embedding.
    Rope,
    /// Keys and values to the cache.
    Append(Kv),
    /// Attention.
    Attend(Kv),
    /// Between which values the greatest logits of tiles lie, by the upper halves of the head's codes.
    HeadBounds(Activations),
    /// The same of logits that are known.
    LogitBounds,
    /// What the best logits reach at least, by the bounds.
    BestThreshold,
    /// The same by the logits of the most promising tiles.
    BestSharpen,
    /// Products with the head's tiles that can hold one of the best logits.
    HeadBest(Products),
    /// The same of logits that are known.
    BestPick,
    /// Sum of two values.
    Add,
    /// Activation of a gate times a value.
    Gated,
    /// Cap of the logits.
    Softcap,
    /// The rows whose logits are wanted.
    PickRows,
    /// One row's way to a product: what is added and normed, as integers.
    StageRow(Activations),
    /// Products of one row with several matrices, with that way before them or after a [`Kernel::StageRow`].
    StageProduct(Products, Input),
    /// One row's attention, from raw products on.
    StageHeads(Kv),
}

/// Where a stage's product has its input from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Every group makes it for itself.
    Made,
    /// A kernel before has made it.
    Given,
}

/// What a binding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binding {
    /// Parameters.
    Uniform,
    /// A buffer that is read.
    Read,
    /// A buffer that is written.
    Write,
}

/// What products depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Products {
    /// Of the weights.
    pub codes: Codes,
    /// Of the weights.
    pub scales: Scales,
    /// What the weights are multiplied with.
    pub activations: Activations,
}

/// How a packed weight's codes lie: bits in the low plane, in the high plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codes {
    /// 2 bits.
    Low2,
    /// 2 + 1 bits.
    Low2High1,
    /// 4 bits.
    Low4,
    /// 4 + 1 bits.
    Low4High1,
    /// 4 + 2 bits.
    Low4High2,
    /// 4 + 4 bits.
    Low4High4,
    /// 8 bits.
    Low8,
    /// 4 bits that index a table.
    Codebook4,
    /// 4 + 0, 1, 2 or 4 bits, by matrix; in stages only.
    Mixed,
}

/// How a packed weight's scales lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scales {
    /// One for each block.
    Flat,
    /// Factors of one for eight blocks.
    Super,
}

/// How activations enter products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activations {
    /// 8 bits with one scale for every 32.
    Int8,
    /// 16 bits with one scale for every 32.
    Int16,
    /// As they are.
    F32,
}

/// Weights that are plain floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plain {
    /// 32 bits.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of 32 bits.
    Bf16,
}

/// How keys and values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kv {
    /// Halves.
    F16,
    /// As computed.
    F32,
}

/// How four bytes are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dot {
    /// By shifts and products of u32.
    Plain,
    /// By the device's instruction.
    Packed,
}

/// How the lanes of a group share values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lanes {
    /// Through workgroup memory.
    Workgroup,
    /// Within subgroups first.
    Subgroup,
}

/// What a device can do better than the plainest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// How four bytes are multiplied.
    pub dot: Dot,
    /// How the lanes of a group share values.
    pub lanes: Lanes,
}

impl Variant {
    /// The name of a module that depends on it, or on a part of it.
    fn suffix(self, dot: bool, lanes: bool) -> &'static str {
        match (dot && self.dot == Dot::Packed, lanes && self.lanes == Lanes::Subgroup) {
            (false, false) => "",
            (true, false) => "_dot",
            (false, true) => "_subgroup",
            (true, true) => "_dot_subgroup",
        }
    }

    fn dot(self) -> &'static File {
        match self.dot {
            Dot::Plain => &files::DOT_PLAIN,
            Dot::Packed => &files::DOT_PACKED,
        }
    }

    fn reduce(self) -> &'static File {
        match self.lanes {
            Lanes::Workgroup => &files::REDUCE_WORKGROUP,
            Lanes::Subgroup => &files::REDUCE_SUBGROUP,
        }
    }

    /// How a lane of a product comes to its activations.
    fn x(self) -> &'static File {
        match self.lanes {
            Lanes::Workgroup => &files::X_OWN,
            Lanes::Subgroup => &files::X_SHARED,
        }
    }

    /// The same for a tile of rows.
    fn tile(self) -> &'static File {
        match self.lanes {
            Lanes::Workgroup => &files::TILE_STAGED,
            Lanes::Subgroup => &files::TILE_DIRECT,
        }
    }
}

impl Kernel {
    /// The kernel's name without its variant: `matmul_vector_q4_int16` and the like.
    pub fn name(self) -> String {
        match self {
            Self::Quantise(activations) => format!("quantise_{}", activations.name()),
            Self::MatmulVector(p) => format!("matmul_vector_{}", p.name()),
            Self::MatmulTile(p) => format!("matmul_tile_{}", p.name()),
            Self::MatmulFloat(plain) => format!("matmul_float_{}", plain.file().1),
            Self::RmsNorm => "rms_norm".into(),
            Self::Rope => "rope".into(),
            Self::Append(kv) => format!("append_{}", kv.file().1),
            Self::Attend(kv) => format!("attend_{}", kv.file().1),
            Self::HeadBounds(activations) => format!("head_bounds_{}", activations.name()),
            Self::LogitBounds => "logit_bounds".into(),
            Self::BestThreshold => "best_threshold".into(),
            Self::BestSharpen => "best_sharpen".into(),
            Self::HeadBest(p) => format!("head_best_{}", p.name()),
            Self::BestPick => "best_pick".into(),
            Self::Add => "add".into(),
            Self::Gated => "gated".into(),
            Self::Softcap => "softcap".into(),
            Self::PickRows => "pick_rows".into(),
            Self::StageRow(activations) => format!("stage_row_{}", activations.name()),
            Self::StageProduct(p, Input::Made) => format!("stage_product_{}", p.name()),
            Self::StageProduct(p, Input::Given) => format!("stage_product_given_{}", p.name()),
            Self::StageHeads(kv) => format!("stage_heads_{}", kv.file().1),
        }
    }

    /// Its files, for a device's variant.
    pub fn source(self, variant: Variant) -> Source {
        let (mut files, dot, lanes): (Vec<&'static File>, bool, bool) = match self {
            Self::Quantise(a) => ([a.integers(), vec![&files::QUANTISE]].concat(), false, false),
            Self::MatmulVector(p) => (p.alone(variant, &[&files::VECTOR, &files::MATMUL_VECTOR]), p.has_dots(), true),
            Self::MatmulTile(p) => (p.alone(variant, &[variant.tile(), &files::MATMUL_TILE]), p.has_dots(), true),
            Self::MatmulFloat(plain) => (vec![plain.file().0, variant.reduce(), &files::MATMUL_FLOAT], false, true),
            Self::RmsNorm => (vec![variant.reduce(), &files::NORM, &files::RMS_NORM], false, true),
            Self::Rope => (vec![&files::TURN, &files::ROPE], false, false),
            Self::Append(kv) => (vec![&files::KV, kv.file().0, &files::APPEND], false, false),
            Self::Attend(kv) => ([kv.attention(variant), vec![&files::ATTEND]].concat(), false, true),
            Self::HeadBounds(activations) => {
                // The upper halves lie as codes of 4 bits do.
                let products = Products { codes: Codes::Low4, scales: Scales::Flat, activations };
                let own = vec![&files::KEYS, &files::HEAD_BOUNDS];
                ([products.files(variant), own].concat(), products.has_dots(), true)
            }
            Self::LogitBounds => (vec![&files::KEYS, &files::LOGIT_BOUNDS], false, false),
            Self::BestThreshold | Self::BestSharpen => {
                let op = if self == Self::BestThreshold { &files::BEST_THRESHOLD } else { &files::BEST_SHARPEN };
                (vec![&files::KEYS, &files::WISH, &files::GREATEST, &files::FOUND, &files::CHOSEN, op], false, false)
            }
            Self::HeadBest(p) => {
                let own = vec![&files::KEYS, &files::FOUND, &files::VECTOR, &files::HEAD_BEST];
                ([p.files(variant), own].concat(), p.has_dots(), true)
            }
            Self::BestPick => (vec![&files::KEYS, &files::FOUND, &files::BEST_PICK], false, false),
            Self::Add => (vec![&files::ADD], false, false),
            Self::Gated => (vec![&files::ACTIVATE, &files::GATED], false, false),
            Self::Softcap => (vec![&files::ACTIVATE, &files::SOFTCAP], false, false),
            Self::PickRows => (vec![&files::PICK_ROWS], false, false),
            Self::StageRow(a) => {
                let before = vec![variant.reduce(), &files::NORM, &files::BEFORE, &files::STAGE_ROW];
                ([a.integers(), before].concat(), false, true)
            }
            Self::StageProduct(p, input) => (p.stage(variant, input), p.has_dots(), true),
            Self::StageHeads(kv) => {
                let head = vec![&files::NORM, &files::TURN, &files::STAGE_HEADS];
                ([kv.attention(variant), head].concat(), false, true)
            }
        };
        files.insert(0, &files::STEP);
        Source { name: self.name() + variant.suffix(dot, lanes), files }
    }

    /// Its bindings in group 0 after the chunk's step, in order.
    pub fn bindings(self) -> &'static [Binding] {
        use Binding::{Read, Uniform, Write};
        match self {
            Self::Quantise(_) | Self::Softcap | Self::PickRows | Self::LogitBounds => &[Uniform, Read, Write],
            Self::MatmulVector(_) | Self::MatmulTile(_) | Self::HeadBest(_) => {
                &[Uniform, Read, Read, Read, Read, Read, Write]
            }
            Self::MatmulFloat(_) => &[Uniform, Read, Read, Read, Write],
            Self::RmsNorm | Self::Rope | Self::Add | Self::Gated | Self::StageHeads(_) | Self::BestPick => {
                &[Uniform, Read, Read, Write]
            }
            Self::Append(_) => &[Read, Read],
            Self::Attend(_) => &[Read, Write],
            Self::BestThreshold | Self::BestSharpen => &[Uniform, Read, Read, Write, Write],
            Self::StageRow(_) => &[Uniform, Read, Write, Write],
            Self::StageProduct(_, Input::Made) | Self::HeadBounds(_) => &[Uniform, Read, Read, Read, Read, Write],
            Self::StageProduct(_, Input::Given) => &[Uniform, Read, Read, Read, Read, Write, Read],
        }
    }

    /// Whether it has a second group: a layer's slot (uniform), keys and values (written).
    pub fn has_cache(self) -> bool {
        matches!(self, Self::Append(_) | Self::Attend(_) | Self::StageHeads(_))
    }

    /// Every kernel that an op can ask for.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::RmsNorm, Self::Rope, Self::Add, Self::Gated, Self::Softcap, Self::PickRows];
        all.extend([Activations::Int8, Activations::Int16].map(Self::Quantise));
        all.extend([Self::LogitBounds, Self::BestThreshold, Self::BestSharpen, Self::BestPick]);
        for activations in [Activations::Int8, Activations::Int16] {
            let halved = Products { codes: Codes::Low4High4, scales: Scales::Flat, activations };
            all.extend([Self::HeadBounds(activations), Self::HeadBest(halved)]);
        }
        all.extend([Kv::F16, Kv::F32].map(Self::Append));
        all.extend([Kv::F16, Kv::F32].map(Self::Attend));
        all.extend([Kv::F16, Kv::F32].map(Self::StageHeads));
        all.extend([Activations::Int8, Activations::Int16].map(Self::StageRow));
        all.extend([Plain::F32, Plain::F16, Plain::Bf16].map(Self::MatmulFloat));
        for activations in [Activations::Int8, Activations::Int16, Activations::F32] {
            for scales in [Scales::Flat, Scales::Super] {
                for codes in Codes::ALL {
                    let products = Products { codes, scales, activations };
                    all.extend([Self::MatmulVector(products), Self::MatmulTile(products)]);
                }
                for codes in Codes::ALL.into_iter().chain([Codes::Mixed]).filter(|_| activations != Activations::F32) {
                    let products = Products { codes, scales, activations };
                    all.extend([Input::Made, Input::Given].map(|input| Self::StageProduct(products, input)));
                }
            }
        }
        all
    }
}

impl Products {
    fn name(self) -> String {
        let scales = if self.scales == Scales::Super { "_super" } else { "" };
        format!("{}{scales}_{}", self.codes.file().1, self.activations.name())
    }

    fn has_dots(self) -> bool {
        self.activations != Activations::F32
    }

    /// What reads weights and multiplies them.
    fn files(self, variant: Variant) -> Vec<&'static File> {
        let scales = match self.scales {
            Scales::Flat => &files::SCALES_FLAT,
            Scales::Super => &files::SCALES_SUPER,
        };
        let mut files = vec![&files::MATRIX];
        if self.codes != Codes::Mixed {
            files.push(&files::FORMAT_FIXED);
        }
        files.extend([&files::BYTES, self.codes.file().0, scales, self.activations.words(), variant.x()]);
        match self.activations {
            Activations::Int8 => files.extend([variant.dot(), &files::PRODUCTS_INT8, &files::INTEGER_SUMS]),
            Activations::Int16 => files.extend([variant.dot(), &files::PRODUCTS_INT16, &files::INTEGER_SUMS]),
            Activations::F32 => {}
        }
        files
    }

    fn alone(self, variant: Variant, op: &[&'static File]) -> Vec<&'static File> {
        [self.files(variant), vec![&files::MATRIX_ALONE], op.to_vec()].concat()
    }

    fn stage(self, variant: Variant, input: Input) -> Vec<&'static File> {
        let mut files = self.files(variant);
        if self.codes != Codes::Mixed {
            files.push(&files::ONE_FORMAT);
        }
        match input {
            Input::Made => files.extend([
                self.activations.quantise(),
                &files::QUANTISE_BLOCK,
                variant.reduce(),
                &files::NORM,
                &files::BEFORE,
                &files::X_MADE,
            ]),
            Input::Given => files.push(&files::X_GIVEN),
        }
        files.extend([&files::ACTIVATE, &files::STAGE_PRODUCT]);
        files
    }
}

impl Codes {
    /// All that a single matrix can have.
    pub const ALL: [Self; 8] = [
        Self::Low2,
        Self::Low2High1,
        Self::Low4,
        Self::Low4High1,
        Self::Low4High2,
        Self::Low4High4,
        Self::Low8,
        Self::Codebook4,
    ];

    fn file(self) -> (&'static File, &'static str) {
        match self {
            Self::Low2 => (&files::LOW2, "low2"),
            Self::Low2High1 => (&files::LOW2_HIGH1, "low2_high1"),
            Self::Low4 => (&files::LOW4, "low4"),
            Self::Low4High1 => (&files::LOW4_HIGH1, "low4_high1"),
            Self::Low4High2 => (&files::LOW4_HIGH2, "low4_high2"),
            Self::Low4High4 => (&files::LOW4_HIGH4, "low4_high4"),
            Self::Low8 => (&files::LOW8, "low8"),
            Self::Codebook4 => (&files::CODEBOOK4, "codebook4"),
            Self::Mixed => (&files::LOW4_MIXED, "low4_mixed"),
        }
    }
}

impl Activations {
    fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::F32 => "f32",
        }
    }

    fn words(self) -> &'static File {
        match self {
            Self::Int8 => &files::ACTIVATIONS_INT8,
            Self::Int16 => &files::ACTIVATIONS_INT16,
            Self::F32 => &files::ACTIVATIONS_F32,
        }
    }

    fn quantise(self) -> &'static File {
        if self == Self::Int8 { &files::QUANTISE_INT8 } else { &files::QUANTISE_INT16 }
    }

    /// What makes integers of blocks.
    fn integers(self) -> Vec<&'static File> {
        vec![self.words(), self.quantise(), &files::QUANTISE_BLOCK, &files::BYTES]
    }

    /// Words that a block of 32 columns takes; 4 * `X_VECTORS` of its file.
    pub fn block_words(self) -> usize {
        match self {
            Self::Int8 => 12,
            Self::Int16 => 20,
            Self::F32 => 32,
        }
    }
}

impl Plain {
    fn file(self) -> (&'static File, &'static str) {
        match self {
            Self::F32 => (&files::F32, "f32"),
            Self::F16 => (&files::F16, "f16"),
            Self::Bf16 => (&files::BF16, "bf16"),
        }
    }
}

impl Kv {
    fn attention(self, variant: Variant) -> Vec<&'static File> {
        vec![&files::KV, self.file().0, &files::ACTIVATE, variant.reduce(), &files::ATTENTION]
    }

    fn file(self) -> (&'static File, &'static str) {
        match self {
            Self::F16 => (&files::KV_F16, "f16"),
            Self::F32 => (&files::KV_F32, "f32"),
        }
    }
}
