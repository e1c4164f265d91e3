// WHY: on Adreno 640 and 840 a product of matrices that passes its inputs on by shuffles gives garbage; on AMD's
// GPUs through MoltenVK an exclusive-or shuffle does. Tier 2 passes activations on like this.
// y = how many of 128 lanes get what they should: by shuffles of a lane's number, by exclusive or, by a broadcast.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

var<workgroup> right: array<atomic<u32>, 3>;

@compute @workgroup_size(128)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) place: u32) {
    if lane < 3u {
        atomicStore(&right[lane], 0u);
    }
    workgroupBarrier();
    // Each lane of eight holds a row of a, and of b what is 1 to 4 times the row's number.
    let eighth = f32(place % 8u + x[0]); // x[0] is 0.
    let b = eighth * vec4(1.0, 2.0, 3.0, 4.0);
    var sum = vec4(0.0);
    for (var i = 0u; i < 8u; i++) {
        let source = place - place % 8u + i;
        sum += subgroupShuffle(eighth, source) * subgroupShuffle(b, source);
    }
    // The squares of 0 to 7 add up to 140.
    atomicAdd(&right[0], u32(all(sum == vec4(140.0, 280.0, 420.0, 560.0))));
    atomicAdd(&right[1], u32(subgroupShuffleXor(place, 5u) == (place ^ 5u)));
    atomicAdd(&right[2], u32(subgroupBroadcast(place, 3u) == 3u));
    workgroupBarrier();
    if lane < 3u {
        y[lane] = atomicLoad(&right[lane]);
    }
}
