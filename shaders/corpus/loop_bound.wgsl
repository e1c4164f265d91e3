// WHY: a counter that ends a loop after 2^64 rounds, as wgpu once added it to checked shaders, hangs some drivers of
// Intel where it counts upwards, and ends AMD's compiler. This has such a counter of its own, a break and a
// continue.
// y = the sum of all numbers below x[0] that are no multiples of 4, the number of rounds. x[1] is 0, which no
// compiler can know.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(1)
fn main() {
    var bound = vec2(0u);
    var sum = 0u;
    var i = 0u;
    loop {
        if all(bound == vec2(0xffffffffu)) {
            break;
        }
        bound += vec2(u32(bound.y == 0xffffffffu), 1u);
        if i == x[0] {
            break;
        }
        if (i & 3u) == 0u {
            continue;
        }
        sum += i ^ x[1];
        continuing {
            i++;
        }
    }
    y[0] = sum;
    y[1] = bound.y;
}
