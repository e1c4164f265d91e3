// WHY: on an Adreno 530 a private array with an index from run time gives other elements than those asked for.
// Kernels keep sums of several rows in such arrays.
// y = the square of x[i] out of a function's own array, and 1000 times that out of a private one of the module.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

var<private> squares: array<u32, 16>;

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) lane: u32) {
    var own: array<u32, 16>;
    for (var i = 0u; i < 16u; i++) {
        let place = i ^ x[0]; // x[0] is 0.
        own[place] = place * place;
        squares[place] = place * place;
    }
    y[lane] = own[x[lane]] + 1000u * squares[x[lane]];
}
