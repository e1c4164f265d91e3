import CryptoKit
import Foundation
import SampleCore

/// The system's SHA-256.
struct SHA256Hash: FileHash {
    private var hash = SHA256()

    mutating func update(_ data: Data) {
        hash.update(data: data)
    }

    func hexadecimal() -> String {
        hash.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
