// WHY: where an array's length comes from constants of the pipeline, naga ended the process if another array had
// that length too. The length of one of these is a choice between two.
// y = 100 and the lane's number, which went through two such arrays.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

override LANES: u32 = 8u;
override WIDE: bool = true;
const MOST: u32 = 8u;

var<workgroup> fixed: array<u32, MOST>;
var<workgroup> own: array<u32, LANES>;
var<workgroup> both: array<u32, select(LANES, 2u * LANES, WIDE)>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32) {
    fixed[lane] = x[lane];
    both[lane] = lane;
    both[LANES + lane] = 100u + lane;
    workgroupBarrier();
    own[lane] = both[2u * LANES - 1u - lane];
    workgroupBarrier();
    y[lane] = own[LANES - 1u - fixed[lane]];
}
