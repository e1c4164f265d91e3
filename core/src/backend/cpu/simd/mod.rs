//! What the kernels need of an instruction set, so that each kernel is written once.
//!
//! A vector holds [`Simd::LANES`] 32-bit lanes; one lane is one weight row in the integer products. All kernels
//! give the same bits on every instruction set: integer sums are exact, float sums run in a fixed order, and every
//! multiply-add is fused.
//!
//! A value of an implementing type proves that the processor has the instructions: it is only made by the type's
//! `detect`, after asking the processor. Kernels are `#[inline(always)]` and become machine code of that instruction
//! set inside [`Simd::run`].

#![allow(unsafe_code)] // Loads and stores through pointers, whose contract the trait states.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;

pub use portable::Portable;

/// A computation that wants to be compiled for an instruction set.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The computation; must be `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Operations on vectors of 32-bit lanes.
///
/// Pointers must be valid for as many elements as the vector has lanes; they need no alignment.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Integer lanes.
    type I: Copy;
    /// Float lanes.
    type F: Copy;
    /// Products of codes of at most 6 bits.
    type Narrow: Dot<Self>;
    /// Products of 8-bit codes.
    type Wide: Dot<Self>;
    /// 32-bit lanes of a vector; divides 16.
    const LANES: usize;
    /// How people call it.
    const NAME: &'static str;
    /// Whether products are blocked over several rows of a chunk.
    const BLOCKED: bool = true;

    /// Runs a kernel as code of this instruction set.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;

    /// All lanes `x`.
    fn splat_i(self, x: u32) -> Self::I;
    /// # Safety
    /// See the trait.
    unsafe fn load_i(self, from: *const u32) -> Self::I;
    /// # Safety
    /// See the trait.
    unsafe fn store_i(self, x: Self::I, to: *mut u32);
    /// Bitwise and.
    fn and(self, a: Self::I, b: Self::I) -> Self::I;
    /// Bitwise or.
    fn or(self, a: Self::I, b: Self::I) -> Self::I;
    /// Wrapping sum of 32-bit lanes.
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// Shift right, zeros come in.
    fn shr<const N: u32>(self, a: Self::I) -> Self::I;
    /// Shift left.
    fn shl<const N: u32>(self, a: Self::I) -> Self::I;
    /// Each byte (0 to 15) replaced by its entry of the table.
    fn lookup(self, table: &[u8; 16], index: Self::I) -> Self::I;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::F;
    /// # Safety
    /// See the trait.
    unsafe fn load(self, from: *const f32) -> Self::F;
    /// # Safety
    /// See the trait.
    unsafe fn store(self, x: Self::F, to: *mut f32);
    /// Halves, widened.
    /// # Safety
    /// See the trait.
    unsafe fn load_f16(self, from: *const u16) -> Self::F;
    /// Rounded to halves, to nearest even.
    /// # Safety
    /// See the trait.
    unsafe fn store_f16(self, x: Self::F, to: *mut u16);
    /// Signed bytes as floats.
    /// # Safety
    /// See the trait.
    unsafe fn load_i8(self, from: *const i8) -> Self::F;
    /// Unsigned bytes as floats.
    /// # Safety
    /// See the trait.
    unsafe fn load_u8(self, from: *const u8) -> Self::F;
    /// Sum.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// Difference.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// Product.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// Quotient.
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The greater; `b` where one is not a number.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The lesser; `b` where one is not a number.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// Signed lanes to floats, to nearest even.
    fn to_f(self, x: Self::I) -> Self::F;
    /// Floats to signed lanes, to nearest even; the values must fit.
    fn to_i(self, x: Self::F) -> Self::I;
    /// The same bits as a float.
    fn bits_f(self, x: Self::I) -> Self::F;
    /// The same bits as an integer.
    fn bits_i(self, x: Self::F) -> Self::I;
    /// Asks for the cache line of an address; any address will do.
    fn prefetch(self, at: *const u32);
    /// Asks for it in the second-level cache.
    fn prefetch_far(self, at: *const u32);
}

/// The instruction set's way to sum products of unsigned codes and signed activations, exactly.
///
/// A block is 32 columns: 8 words of 4 codes a row, [`Dot::STEPS`] prepared vectors, and as many activation words.
/// Two activation planes (the upper and lower byte of 16-bit activations) are summed one after the other, shifted in
/// between; an instruction set that multiplies 16 bits at once has [`Dot::SPLITS`] `false` and takes one plane.
pub trait Dot<S: Simd> {
    /// Vectors that a block of codes is prepared into: 8 or 16.
    const STEPS: usize;
    /// Whether 16-bit activations come as two planes of bytes.
    const SPLITS: bool;
    /// What is taken from each code to fit the instruction; the sums are then of codes that much smaller.
    const LESS: i32 = 0;
    /// Whether [`Dot::step`] adds to 32-bit totals, so that nothing is to be widened.
    const DIRECT: bool = true;
    /// Steps after which [`Dot::widen`] is due, if `bits` is the width of the codes: 2, 4 or 8.
    fn chain(_bits: u32) -> usize {
        8
    }
    /// 8 code words to [`Dot::STEPS`] vectors.
    fn prepare(simd: S, codes: [S::I; 8]) -> [S::I; 16];
    /// Adds one step's products to a running sum.
    fn step(simd: S, sum: S::I, codes: S::I, activations: S::I) -> S::I;
    /// Adds a running sum to the 32-bit total; not called where steps are direct.
    #[inline(always)]
    fn widen(simd: S, total: S::I, sum: S::I) -> S::I {
        simd.add_i(total, sum)
    }
}

/// Which instruction set runs the kernels.
#[derive(Clone, Copy, Debug)]
pub enum Isa {
    /// Plain loops.
    Portable(Portable),
    /// x86-64 with AVX2, FMA and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    /// AVX2 with 8-bit dot products.
    #[cfg(target_arch = "x86_64")]
    AvxVnni(avx2::AvxVnni),
    /// AVX-512 with 8-bit dot products.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(avx512::Avx512Vnni),
    /// ARMv8 as every 64-bit phone has it.
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
    /// With `sdot`.
    #[cfg(target_arch = "aarch64")]
    NeonDot(neon::NeonDot),
    /// With `usdot` too, an instruction of i8mm.
    #[cfg(target_arch = "aarch64")]
    NeonI8mm(neon::NeonI8mm),
}

/// Runs `$body` with `$simd` bound to the token inside an [`Isa`].
macro_rules! each_isa {
    ($isa:expr, $simd:ident => $body:expr) => {
        match $isa {
            Isa::Portable($simd) => $body,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2($simd) => $body,
            #[cfg(target_arch = "x86_64")]
            Isa::AvxVnni($simd) => $body,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni($simd) => $body,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon($simd) => $body,
            #[cfg(target_arch = "aarch64")]
            Isa::NeonDot($simd) => $body,
            #[cfg(target_arch = "aarch64")]
            Isa::NeonI8mm($simd) => $body,
        }
    };
}

impl Isa {
    /// All that this processor can run, the best last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut found = vec![Self::Portable(Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            found.extend(avx2::Avx2::detect().map(Self::Avx2));
            found.extend(avx2::AvxVnni::detect().map(Self::AvxVnni));
            found.extend(avx512::Avx512Vnni::detect().map(Self::Avx512Vnni));
        }
        #[cfg(target_arch = "aarch64")]
        {
            found.extend(neon::Neon::detect().map(Self::Neon));
            found.extend(neon::NeonDot::detect().map(Self::NeonDot));
            found.extend(neon::NeonI8mm::detect().map(Self::NeonI8mm));
        }
        found
    }

    /// The best that this processor can run.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::Portable(Portable))
    }

    /// How people call it.
    pub fn name(self) -> &'static str {
        fn name<S: Simd>(_: S) -> &'static str {
            S::NAME
        }
        each_isa!(self, simd => name(simd))
    }

    /// Whether 8-bit codes meet activations as pairs of 16 bits.
    pub fn multiplies_pairs(self) -> bool {
        fn pairs<S: Simd>(_: S) -> bool {
            !S::Wide::SPLITS
        }
        each_isa!(self, simd => pairs(simd))
    }

    /// Runs a kernel as code of this instruction set.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        each_isa!(self, simd => simd.run(kernel))
    }
}
