// WHY: sums over a subgroup are wrong on AMD's GPUs through MoltenVK; on a PowerVR of the C series shaders with
// them do not compile.
// y = the sum of x over 128 lanes, subgroup by subgroup: of integers, of floats; and the largest.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

var<workgroup> total: array<atomic<u32>, 3>;

@compute @workgroup_size(128)
fn main(@builtin(local_invocation_index) lane: u32) {
    if lane < 3u {
        atomicStore(&total[lane], 0u);
    }
    workgroupBarrier();
    let sum = subgroupAdd(x[lane]);
    let sum_of_floats = subgroupAdd(f32(x[lane]));
    let most = subgroupMax(x[lane]);
    if subgroupExclusiveAdd(1u) == 0u {
        atomicAdd(&total[0], sum);
        atomicAdd(&total[1], u32(sum_of_floats));
        atomicMax(&total[2], most);
    }
    workgroupBarrier();
    if lane < 3u {
        y[lane] = atomicLoad(&total[lane]);
    }
}
