//! The WGSL files, embedded.

/// One file.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct File {
    /// Path below `shaders/`.
    pub name: &'static str,
    /// WGSL, not a module of its own.
    pub text: &'static str,
}

macro_rules! files {
    ($($constant:ident = $path:literal;)*) => {
        $(pub static $constant: File = File { name: $path, text: include_str!(concat!("../", $path)) };)*

        /// All of them.
        pub static ALL: &[&File] = &[$(&$constant),*];
    };
}

files! {
    STEP = "common/step.wgsl";
    BYTES = "common/bytes.wgsl";
    MATRIX = "common/matrix.wgsl";
    MATRIX_ALONE = "common/matrix_alone.wgsl";
    FORMAT_FIXED = "common/format_fixed.wgsl";
    ONE_FORMAT = "common/one_format.wgsl";
    BEFORE = "common/before.wgsl";
    X_OWN = "common/x_own.wgsl";
    X_SHARED = "common/x_shared.wgsl";
    TILE_STAGED = "common/tile_staged.wgsl";
    TILE_DIRECT = "common/tile_direct.wgsl";
    KEYS = "common/keys.wgsl";
    FOUND = "common/found.wgsl";
    WISH = "common/wish.wgsl";
    GREATEST = "common/greatest.wgsl";
    CHOSEN = "common/chosen.wgsl";
    VECTOR = "common/vector.wgsl";
    X_MADE = "common/x_made.wgsl";
    X_GIVEN = "common/x_given.wgsl";
    NORM = "common/norm.wgsl";
    TURN = "common/turn.wgsl";
    ATTENTION = "common/attention.wgsl";
    DOT_PLAIN = "common/dot_plain.wgsl";
    DOT_PACKED = "common/dot_packed.wgsl";
    ACTIVATIONS_INT8 = "common/activations_int8.wgsl";
    ACTIVATIONS_INT16 = "common/activations_int16.wgsl";
    ACTIVATIONS_F32 = "common/activations_f32.wgsl";
    PRODUCTS_INT8 = "common/products_int8.wgsl";
    PRODUCTS_INT16 = "common/products_int16.wgsl";
    INTEGER_SUMS = "common/integer_sums.wgsl";
    QUANTISE_INT8 = "common/quantise_int8.wgsl";
    QUANTISE_INT16 = "common/quantise_int16.wgsl";
    QUANTISE_BLOCK = "common/quantise_block.wgsl";
    REDUCE_WORKGROUP = "common/reduce_workgroup.wgsl";
    REDUCE_SUBGROUP = "common/reduce_subgroup.wgsl";
    ACTIVATE = "common/activate.wgsl";
    KV = "common/kv.wgsl";
    KV_F16 = "common/kv_f16.wgsl";
    KV_F32 = "common/kv_f32.wgsl";
    LOW2 = "quant/low2.wgsl";
    LOW2_HIGH1 = "quant/low2_high1.wgsl";
    LOW4 = "quant/low4.wgsl";
    LOW4_HIGH1 = "quant/low4_high1.wgsl";
    LOW4_HIGH2 = "quant/low4_high2.wgsl";
    LOW4_HIGH4 = "quant/low4_high4.wgsl";
    LOW8 = "quant/low8.wgsl";
    LOW4_MIXED = "quant/low4_mixed.wgsl";
    CODEBOOK4 = "quant/codebook4.wgsl";
    SCALES_FLAT = "quant/scales_flat.wgsl";
    SCALES_SUPER = "quant/scales_super.wgsl";
    F32 = "quant/f32.wgsl";
    F16 = "quant/f16.wgsl";
    BF16 = "quant/bf16.wgsl";
    ADD = "ops/add.wgsl";
    APPEND = "ops/append.wgsl";
    ATTEND = "ops/attend.wgsl";
    BEST_PICK = "ops/best_pick.wgsl";
    BEST_SHARPEN = "ops/best_sharpen.wgsl";
    BEST_THRESHOLD = "ops/best_threshold.wgsl";
    HEAD_BEST = "ops/head_best.wgsl";
    HEAD_BOUNDS = "ops/head_bounds.wgsl";
    LOGIT_BOUNDS = "ops/logit_bounds.wgsl";
    GATED = "ops/gated.wgsl";
    MATMUL_FLOAT = "ops/matmul_float.wgsl";
    MATMUL_TILE = "ops/matmul_tile.wgsl";
    MATMUL_VECTOR = "ops/matmul_vector.wgsl";
    PICK_ROWS = "ops/pick_rows.wgsl";
    QUANTISE = "ops/quantise.wgsl";
    RMS_NORM = "ops/rms_norm.wgsl";
    ROPE = "ops/rope.wgsl";
    SOFTCAP = "ops/softcap.wgsl";
    STAGE_HEADS = "stages/heads.wgsl";
    STAGE_PRODUCT = "stages/product.wgsl";
    STAGE_ROW = "stages/row.wgsl";
}
