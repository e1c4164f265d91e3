/// Something that is held until it is let go of, at the latest when nobody has the lease any more.
final class Lease: Sendable {
    private let end: Guarded<(@Sendable () -> Void)?>

    init(_ end: @escaping @Sendable () -> Void) {
        self.end = Guarded(end)
    }

    /// May be called again.
    func letGo() {
        let end = end.with { end in
            defer { end = nil }
            return end
        }
        end?()
    }

    deinit {
        letGo()
    }
}
