import Kinglet
import SampleCore
import SwiftUI

/// A notification, read out as one.
struct NotificationRow: View {
    let notification: NotificationText

    var body: some View {
        VStack(alignment: .leading) {
            Text(notification.from).font(.headline)
            Text(notification.text).font(.callout)
        }
        .accessibilityElement(children: .combine)
    }
}

/// A digest in the list of them.
struct DigestRow: View {
    let digest: StoredDigest

    var body: some View {
        VStack(alignment: .leading) {
            Text(digest.moment).font(.caption).foregroundStyle(.secondary)
            Text(digest.text).lineLimit(4)
            Text(Phrase.digestOf.text(digest.notifications.count.formatted())).font(.caption).foregroundStyle(
                .secondary)
        }
        .accessibilityElement(children: .combine)
    }
}
