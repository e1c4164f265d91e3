import SampleCore
import SwiftUI

/// The app. Everything that can be tested is in SampleCore; here is what shows it.
@main
struct KingletSampleApp: App {
    private let banners = Banners()

    init() {
        banners.show()
        // Made now, for the system wants to know of background work before the launch is over.
        _ = Shared.parts
    }

    var body: some Scene {
        WindowGroup {
            switch Shared.parts {
            case .success(let parts): RootView(parts: parts)
            case .failure(let error): ProblemView(problem: Problem(error) ?? .said("\(error)")).padding()
            }
        }
    }
}
