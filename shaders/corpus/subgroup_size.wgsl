// WHY: a driver may tell a shader the largest size of a subgroup and run it with a smaller one, so that whoever
// goes on by that many lanes leaves some out.
// y = how many of 128 lanes: are told the size that a ballot counts; have a number below it; are in subgroups
// together.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

var<workgroup> right: array<atomic<u32>, 3>;

@compute @workgroup_size(128)
fn main(
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_invocation_id) place: u32,
) {
    if lane < 3u {
        atomicStore(&right[lane], 0u);
    }
    workgroupBarrier();
    let votes = countOneBits(subgroupBallot(true));
    let counted = votes.x + votes.y + votes.z + votes.w;
    atomicAdd(&right[0], u32(size == counted));
    atomicAdd(&right[1], u32(place < counted));
    if subgroupExclusiveAdd(1u) == 0u {
        atomicAdd(&right[2], counted);
    }
    workgroupBarrier();
    if lane < 3u {
        y[lane] = atomicLoad(&right[lane]);
    }
}
