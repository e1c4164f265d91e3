// What a root-mean-square norm multiplies by, 1 / sqrt(mean(x^2) + eps), over the first 64 lanes of a group; every lane
// gets it. The kernel gives the columns as `x_at(at)`.

fn norm_scale(at: u32, dim: u32, eps: f32, lane: u32) -> f32 {
    var squares = 0.0;
    if lane < 64u {
        for (var i = lane; i < dim; i += 64u) {
            squares = fma(x_at(at + i), x_at(at + i), squares);
        }
    }
    return 1.0 / sqrt(reduce_sum(squares, lane) / f32(dim) + eps);
}
