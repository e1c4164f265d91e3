import Foundation

/// Notifications to try a digest with. The app posts them to itself.
public enum Demo {
    /// Made up, and new ones each time.
    public static func notifications(now: Date = Date()) -> [Delivered] {
        let texts: [(thread: Phrase, title: Phrase, body: Phrase)] = [
            (.demoFamily, .demoFamilyTitle, .demoFamilyBody),
            (.demoFamily, .demoFamilyTitle, .demoFamilyLater),
            (.demoWork, .demoWorkTitle, .demoWorkBody),
            (.demoParcel, .demoParcelTitle, .demoParcelBody),
        ]
        return texts.enumerated().map { place, text in
            Delivered(
                id: UUID().uuidString,
                thread: text.thread.text,
                title: text.title.text,
                body: text.body.text,
                date: now.addingTimeInterval(Double(place))
            )
        }
    }
}
