// What comes before a product, for one row: x = norm(residual + post_norm(source)), as integers; each part where there is
// one. The kernel gives `row` and `vectors`, and where columns are kept meanwhile: `keep(i, value)` and `x_at(i)`.

struct Before {
    source: u32,    // places in `row`
    residual: u32,  // NONE: nothing is added
    sum: u32,       // where source and residual together go
    post_norm: u32, // places of weights in `vectors`; NONE: no norm
    post_eps: f32,
    norm: u32,
    norm_eps: f32,
    width: u32,
}

// All lanes of the group see what each has kept.
fn meet() {
    workgroupBarrier();
    storageBarrier();
}

// Multiplies what is kept.
fn norm_kept(width: u32, weight: u32, eps: f32, lane: u32) {
    let scale = norm_scale(0u, width, eps, lane);
    for (var i = lane; i < width; i += LANES) {
        keep(i, x_at(i) * scale * vectors[weight + i]);
    }
    meet();
}

fn x_source(at: u32) -> vec4<f32> {
    return vec4(x_at(4u * at), x_at(4u * at + 1u), x_at(4u * at + 2u), x_at(4u * at + 3u));
}

// `writes`: this group is the one that writes the sum.
fn make_x(before: Before, writes: bool, lane: u32) {
    for (var i = lane; i < before.width; i += LANES) {
        keep(i, row[before.source + i]);
    }
    meet();
    if before.post_norm != NONE {
        norm_kept(before.width, before.post_norm, before.post_eps, lane);
    }
    if before.residual != NONE {
        for (var i = lane; i < before.width; i += LANES) {
            let sum = row[before.residual + i] + x_at(i);
            keep(i, sum);
            if writes {
                row[before.sum + i] = sum;
            }
        }
        meet();
    }
    if before.norm != NONE {
        norm_kept(before.width, before.norm, before.norm_eps, lane);
    }
    for (var block = lane; block < before.width / 32u; block += LANES) {
        quantise(block * 8u, block * X_VECTORS);
    }
    meet();
}
