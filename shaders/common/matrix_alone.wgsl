// One matrix, or a range of its rows, on its own: what it is multiplied with and where the outputs go.
//
// x       [rows][blocks][X_VECTORS] vectors of four words: quantised activations
// bias    [rows of the whole matrix]; one word where there is none
// out     [rows][width]

@group(0) @binding(1) var<uniform> matrix: Matrix;
@group(0) @binding(5) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> bias: array<f32>;
@group(0) @binding(7) var<storage, read_write> out: array<f32>;

override HAS_BIAS: bool = false;

fn store_one(row: u32, lane_row: u32, sum: f32) {
    if lane_row < matrix.rows {
        let weight_row = matrix.first + lane_row;
        var result = sum;
        if HAS_BIAS {
            result += bias[weight_row];
        }
        out[row * matrix.width + weight_row] = result;
    }
}

// Writes the outputs of four weight rows, from `lane_row` of this range on.
fn store(row: u32, lane_row: u32, sums: vec4<f32>) {
    store_one(row, lane_row, sums.x);
    store_one(row, lane_row + 1u, sums.y);
    store_one(row, lane_row + 2u, sums.z);
    store_one(row, lane_row + 3u, sums.w);
}
