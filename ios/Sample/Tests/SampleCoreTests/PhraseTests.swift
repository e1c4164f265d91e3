import Foundation
import XCTest

@testable import SampleCore

final class PhraseTests: XCTestCase {
    private func strings(_ language: String) throws -> [String: String] {
        let file = Repository.sample.appendingPathComponent("Resources/\(language).lproj/Localizable.strings")
        let list = try PropertyListSerialization.propertyList(from: Data(contentsOf: file), options: [], format: nil)
        return try XCTUnwrap(list as? [String: String])
    }

    private func places(_ text: String) -> [String] {
        var places: Set<String> = []
        var rest = text[...]
        while let start = rest.firstIndex(of: "%") {
            places.insert(String(rest[start...].prefix(4)))
            rest = rest[rest.index(after: start)...]
        }
        return places.sorted()
    }

    func testEveryPhraseIsInBothLanguagesAndNothingElse() throws {
        let keys = Phrase.allCases.map(\.rawValue).sorted()
        XCTAssertGreaterThan(keys.count, 100)
        XCTAssertEqual(try strings("en").keys.sorted(), keys)
        XCTAssertEqual(try strings("de").keys.sorted(), keys)
    }

    func testNoKeyIsThereTwice() throws {
        for language in ["en", "de"] {
            let file = Repository.sample.appendingPathComponent("Resources/\(language).lproj/Localizable.strings")
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter {
                $0.hasPrefix("\"")
            }
            XCTAssertEqual(lines.count, Phrase.allCases.count, language)
        }
    }

    func testBothLanguagesHaveTheSamePlaces() throws {
        let (english, german) = (try strings("en"), try strings("de"))
        for (key, text) in english {
            XCTAssertFalse(text.isEmpty, key)
            XCTAssertEqual(places(text), places(german[key] ?? ""), key)
            let expected = (0..<places(text).count).map { "%\($0 + 1)$@" }
            XCTAssertEqual(places(text), expected, key)
        }
    }

    func testGermanIsGerman() throws {
        let (english, german) = (try strings("en"), try strings("de"))
        // Words that both languages share.
        let same: Set = [
            "appName", "placeText", "placeDiagnose", "demoFamilyTitle", "intentText", "textStyle", "sha256", "version",
        ]
        XCTAssertEqual(Set(english.filter { german[$0.key] == $0.value }.keys), same)
    }

    func testEveryPhraseIsUsedAndEveryUseIsAPhrase() throws {
        var code = ""
        for folder in ["App", "ShareExtension", "Sources/SampleCore"] {
            for file in try Repository.files(in: folder, ending: ".swift")
            where file.lastPathComponent != "Phrase.swift" {
                code += try String(contentsOf: file, encoding: .utf8)
            }
        }
        let words = Set(code.split { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != "\"" }.map(String.init))
        for phrase in Phrase.allCases {
            let name = phrase.rawValue
            let uses = ["Phrase.\(name)", "Phrase.\(name).text", ".\(name)", "\"\(name)\""]
            XCTAssertTrue(uses.contains { use in words.contains(use) }, "\(name) is not used")
        }
        // The system reads these from the source, so they cannot be cases.
        for sayer in ["LocalizedStringResource = \"", "IntentDescription(\"", "Parameter(title: \""] {
            let uses = code.components(separatedBy: sayer).dropFirst()
            XCTAssertFalse(uses.isEmpty, sayer)
            for use in uses {
                let key = String(use.prefix { $0 != "\"" })
                XCTAssertNotNil(Phrase(rawValue: key), key)
            }
        }
    }

    func testNoScreenSaysWhatIsNotTranslated() throws {
        for file in try Repository.files(in: "App", ending: ".swift")
            + Repository.files(in: "ShareExtension", ending: ".swift")
        {
            let code = try String(contentsOf: file, encoding: .utf8)
            for sayer in ["Text(\"", "Label(\"", "Button(\"", "Section(\"", "Toggle(\"", "navigationTitle(\""] {
                for use in code.components(separatedBy: sayer).dropFirst() {
                    XCTAssertTrue(use.hasPrefix("\""), "\(file.lastPathComponent): \(sayer)\(use.prefix(20))")
                }
            }
        }
    }

    func testPlacesAreFilledInTheirOrder() {
        XCTAssertEqual(Phrase.fill("%2$@ of %1$@", ["all %2$@", "one"]), "one of all %2$@")
    }
}
