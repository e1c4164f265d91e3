// Which tiles can hold what reaches the threshold.
//
// bounds  [tiles]: between which keys the greatest logit of each lies
// chosen  threshold, count, then as many tiles in no order
// found   emptied

@group(0) @binding(1) var<uniform> tiles: u32;
@group(0) @binding(2) var<storage, read> wish: Wish;
@group(0) @binding(3) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> chosen: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> found: Found;

// Those whose upper bound reaches it, or whose lower one does.
fn choose(threshold: u32, upper: bool, lane: u32) {
    if lane == 0u {
        atomicStore(&chosen[0], threshold);
        atomicStore(&chosen[1], 0u);
        atomicStore(&found.count, 0u);
    }
    storageBarrier();
    for (var tile = lane; tile < tiles; tile += 256u) {
        if select(bounds[tile].x, bounds[tile].y, upper) >= threshold {
            atomicStore(&chosen[2u + atomicAdd(&chosen[1], 1u)], tile);
        }
    }
}
