// out[row][r] = sum over k of x[row][k] * weight[r][k] + bias[r], for weights that are plain floats, rows as in the file.
//
// low   [rows][columns] floats of the weight's type, from `matrix.d` floats on
// x     [rows][columns] f32
// bias  [rows of the whole matrix]; one word where there is none
// out   [rows][width]
//
// One group of 64 invocations makes one output: lanes take columns in turns, then add up in a fixed order.
// Grid: weight rows % 32768 x rows x weight rows / 32768. Workgroup memory: 256 bytes.

struct Matrix {
    columns: u32,
    rows: u32,      // of this range
    first: u32,     // its first row in the whole matrix
    width: u32,     // rows of the whole matrix
}

@group(0) @binding(1) var<uniform> matrix: Matrix;
@group(0) @binding(2) var<storage, read> low: array<u32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

override HAS_BIAS: bool = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let r = min(group.z * 32768u + group.x, matrix.rows - 1u);
    let row = group.y;
    var sum = 0.0;
    for (var k = lane; k < matrix.columns; k += 64u) {
        sum = fma(x[row * matrix.columns + k], weight(r * matrix.columns + k), sum);
    }
    sum = reduce_sum(sum, lane);
    if lane == 0u {
        if HAS_BIAS {
            sum += bias[matrix.first + r];
        }
        out[row * matrix.width + matrix.first + r] = sum;
    }
}
