#if canImport(Darwin)
    import Foundation
    import os
    #if canImport(UIKit) && !os(watchOS)
        import UIKit
    #endif

    /// What Apple's systems tell.
    struct SystemSurroundings: Surroundings {
        var availableMemory: Int? {
            #if os(macOS)
                // A Mac swaps, and tells no limit.
                return nil
            #else
                let left = Int(clamping: os_proc_available_memory())
                // 0 says that there is no limit, as in the simulator.
                return left > 0 ? left : nil
            #endif
        }

        func observe(_ tell: @escaping @Sendable (Signal) -> Void) async -> Lease {
            // On the main actor, where the notifications are posted: so none of them comes between what is so now and
            // what changes.
            await MainActor.run {
                var leases = [heat(tell), lowPower(tell)]
                #if canImport(UIKit) && !os(watchOS)
                    leases += [
                        on(UIApplication.didEnterBackgroundNotification) { tell(.foreground(false)) },
                        on(UIApplication.willEnterForegroundNotification) { tell(.foreground(true)) },
                        on(UIApplication.didReceiveMemoryWarningNotification) { tell(.memory(.all)) },
                    ]
                    tell(.foreground(Self.isVisible))
                #else
                    leases.append(pressure(tell))
                #endif
                return Lease { [leases] in
                    for lease in leases { lease.letGo() }
                }
            }
        }

        private func heat(_ tell: @escaping @Sendable (Signal) -> Void) -> Lease {
            let told: @Sendable () -> Void = { tell(.heat(Heat(ProcessInfo.processInfo.thermalState))) }
            let lease = on(ProcessInfo.thermalStateDidChangeNotification, told)
            told()
            return lease
        }

        private func lowPower(_ tell: @escaping @Sendable (Signal) -> Void) -> Lease {
            let told: @Sendable () -> Void = { tell(.lowPower(ProcessInfo.processInfo.isLowPowerModeEnabled)) }
            let lease = on(.NSProcessInfoPowerStateDidChange, told)
            told()
            return lease
        }

        /// Called where the notification is posted, before its poster goes on.
        private func on(_ name: Foundation.Notification.Name, _ told: @escaping @Sendable () -> Void) -> Lease {
            nonisolated(unsafe) let observer = NotificationCenter.default.addObserver(
                forName: name, object: nil, queue: nil
            ) { _ in told() }
            return Lease { NotificationCenter.default.removeObserver(observer) }
        }

        #if canImport(UIKit) && !os(watchOS)
            /// An extension has no application, and little memory: it stays on the CPU, as in the background.
            @MainActor private static var isVisible: Bool {
                if Bundle.main.bundlePath.hasSuffix(".appex") { return false }
                // By its name, for extensions may not even be linked with it.
                let shared = UIApplication.value(forKey: "sharedApplication") as? UIApplication
                return shared.map { $0.applicationState != .background } ?? true
            }
        #else
            private func pressure(_ tell: @escaping @Sendable (Signal) -> Void) -> Lease {
                nonisolated(unsafe) let source = DispatchSource.makeMemoryPressureSource(
                    eventMask: [.warning, .critical], queue: .global())
                source.setEventHandler { tell(.memory(source.data.contains(.critical) ? .all : .spare)) }
                source.activate()
                return Lease { source.cancel() }
            }
        #endif
    }

    extension Heat {
        init(_ state: ProcessInfo.ThermalState) {
            self =
                switch state {
                case .nominal: .nominal
                case .fair: .fair
                case .serious: .serious
                case .critical: .critical
                @unknown default: .serious
                }
        }
    }
#endif
