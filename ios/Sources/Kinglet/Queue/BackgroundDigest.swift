#if canImport(BackgroundTasks) && os(iOS)
    import BackgroundTasks
    import Foundation

    /// Summarises a queue while the phone charges and nobody looks: a `BGProcessingTask` of the system.
    ///
    /// The identifier stands in the app's `Info.plist`, under `BGTaskSchedulerPermittedIdentifiers`, and `processing`
    /// under `UIBackgroundModes`. The model is opened on the CPU, for the GPU may not work in the background. When the
    /// system wants its time back the task is cancelled, and what was not summarised waits for the next time.
    public struct BackgroundDigest: Sendable {
        private let identifier: String
        private let queue: SummaryQueue
        private let open: @Sendable () async throws -> Engine
        private let finished: @Sendable ([StoredDigest]) async -> Void

        /// - Parameters:
        ///   - identifier: As it stands in `Info.plist`.
        ///   - queue: What is summarised.
        ///   - open: Opens the model; it is closed again after.
        ///   - finished: Given what was made, if anything was: to show a notification of it, for instance.
        public init(
            identifier: String,
            queue: SummaryQueue,
            open: @escaping @Sendable () async throws -> Engine,
            finished: @escaping @Sendable ([StoredDigest]) async -> Void = { _ in }
        ) {
            self.identifier = identifier
            self.queue = queue
            self.open = open
            self.finished = finished
        }

        /// Tells the system what to do. Call it before the app has finished launching; false where the identifier is not
        /// in `Info.plist`.
        @discardableResult
        public func register() -> Bool {
            BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: nil) { task in
                nonisolated(unsafe) let task = task
                let digest = Task {
                    let made = try? await DigestRun(queue: queue, open: open).run()
                    if let made, !made.isEmpty { await finished(made) }
                    task.setTaskCompleted(success: made != nil)
                }
                task.expirationHandler = { digest.cancel() }
            }
        }

        /// Asks for the next time. Once it ran, ask again.
        public func schedule(earliest: Date? = nil, needsPower: Bool = true) throws {
            let request = BGProcessingTaskRequest(identifier: identifier)
            request.earliestBeginDate = earliest
            request.requiresExternalPower = needsPower
            request.requiresNetworkConnectivity = false
            try BGTaskScheduler.shared.submit(request)
        }
    }
#endif
