/// Ways to spoil a graphics processor's values on purpose, which show the report at work on a device that has no fault of
/// its own. Debug builds alone have any.
public let faults: [String] = {
    #if DEBUG
        ["zeros@blk.0.ffn_down", "tile@blk.0.ffn_up", "from-index@output"]
    #else
        []
    #endif
}()
