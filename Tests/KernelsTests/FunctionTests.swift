// What the comparison with PostgreSQL does not show: limits, broken input, the table itself.

import Columns
import Contracts
import Kernels
import Testing
import Types

@Suite struct FunctionTests {
    /// Calls an overload by its signature with text arguments, one row.
    private func call(
        _ signature: String, _ arguments: [Scalar], _ types: [LogicalType], result: LogicalType
    ) throws -> (Scalar, RowError?) {
        let function = try #require(FunctionTable.all.first { $0.signature == signature })
        let columns = zip(types, arguments).map { Column($0, scalars: [$1]) }
        let expression = Expression.call(
            Expression.Call(
                function, types.enumerated().map { .column($0.offset, $0.element) }, type: result,
                place: SourcePlace(file: "test.sql", offset: 0)))
        var errors = RowErrors()
        let column = expression.evaluate(Batch(rowCount: 1, columns: columns), errors: &errors)
        return (column.scalar(0), errors.errors[0])
    }

    @Test func signaturesAreUniqueAndExplained() {
        var seen: Set<String> = []
        for function in FunctionTable.all {
            #expect(
                seen.insert(function.signature).inserted, "\(function.signature) is there twice")
            #expect(function.summary.hasSuffix("."), "\(function.signature): \(function.summary)")
        }
    }

    @Test func aPatternThatExplodesFailsItsRowOnly() throws {
        let text = String(repeating: "a", count: 40) + "!"
        let (_, error) = try call(
            "~(text, text)", [.text(text), .text("^(a|aa)+$")], [.text, .text], result: .boolean)
        #expect(error?.reason == .limit)
    }

    @Test func tooLongTextsFailTheirRowOnly() throws {
        let (_, repeated) = try call(
            "repeat(text, integer)", [.text("abc"), .int64(1 << 30)], [.text, .integer],
            result: .text)
        #expect(repeated?.reason == .limit)
        let long = Scalar.text(String(repeating: "a", count: 100_000))
        let (_, replaced) = try call(
            "replace(text, text, text)", [long, .text("a"), long], [.text, .text, .text],
            result: .text)
        #expect(replaced?.reason == .limit)
        let (_, substituted) = try call(
            "regexp_replace(text, text, text, text)", [long, .text("a"), long, .text("g")],
            [.text, .text, .text, .text], result: .text)
        #expect(substituted?.reason == .limit)
    }

    @Test func morePatternsThanTheCacheHolds() throws {
        for number in 0..<600 {
            let (value, error) = try call(
                "~(text, text)", [.text("x\(number)y"), .text("x\(number)y$")], [.text, .text],
                result: .boolean)
            #expect(value == .bool(true))
            #expect(error == nil)
        }
    }

    @Test(arguments: [
        "", "{", "[", "\"", "{\"a\"", "{\"a\":", "{\"a\":1", "[1,", "{\"a\":\"\\", "{\"a\":\"\\u12",
        "]", "}", ":", "{\"\\ud800\":1}", "[[[[", "nul",
    ]) func brokenJSONFindsNothing(_ text: String) throws {
        for signature in ["->(json, text)", "->>(json, text)"] {
            let (_, error) = try call(
                signature, [.text(text), .text("a")], [.json, .text],
                result: signature.hasPrefix("->>") ? .text : .json)
            #expect(error == nil)
        }
        let (value, _) = try call(
            "->(json, text)", [.text(text), .text("b")], [.json, .text], result: .json)
        #expect(value == .null)
    }

    /// Readers of foreign text must refuse, never trap.
    @Test func randomTextNeverTraps() {
        var state: UInt64 = 42
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let pieces = [
            "1", "12", "2026", "99999999999999999999", "-", "+", ":", ".", " ", "T", "Z", "P", "/",
            "Jan", "BC", "PM", "day", "ago", "infinity", "00", "24", "60", ",", "J",
            "Europe/Berlin",
            "e", "\u{e9}", "years", "M", "S", "Y",
        ].map { Array($0.utf8) }
        for _ in 0..<50_000 {
            var bytes: [UInt8] = []
            for _ in 0..<random(9) { bytes += pieces[random(pieces.count)] }
            if let value = CivilTime.parseTimestampTZ(bytes.span) {
                var written: [UInt8] = []
                CivilTime.appendTimestampTZ(value, to: &written)
                #expect(CivilTime.parseTimestampTZ(written.span) == value)
            }
            _ = CivilTime.parseTimestamp(bytes.span)
            _ = CivilTime.parseDate(bytes.span)
            _ = CivilTime.parseTime(bytes.span)
            if let value = IntervalText.parse(bytes.span) {
                var written: [UInt8] = []
                IntervalText.append(value, to: &written)
                #expect(IntervalText.parse(written.span) == value)
            }
        }
    }

    /// LIKE against the plain recursive definition.
    @Test func likeEqualsItsDefinition() throws {
        func matches(_ text: ArraySlice<Character>, _ pattern: ArraySlice<Character>) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            let rest = pattern.dropFirst()
            switch first {
            case "%":
                return matches(text, rest) || (!text.isEmpty && matches(text.dropFirst(), pattern))
            case "_": return !text.isEmpty && matches(text.dropFirst(), rest)
            default: return text.first == first && matches(text.dropFirst(), rest)
            }
        }
        var state: UInt64 = 7
        func text(_ alphabet: [Character], _ limit: Int) -> [Character] {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var bits = state >> 20
            let count = Int(bits % UInt64(limit))
            return (0..<count).map { _ in
                bits = bits &* 2_862_933_555_777_941_757 &+ 3_037_000_493
                return alphabet[Int(bits >> 40) % alphabet.count]
            }
        }
        for _ in 0..<3000 {
            let (value, pattern) = (text(["a", "b", "é"], 9), text(["a", "b", "é", "%", "_"], 7))
            let (answer, _) = try call(
                "~~(text, text)", [.text(String(value)), .text(String(pattern))], [.text, .text],
                result: .boolean)
            #expect(
                answer == .bool(matches(value[...], pattern[...])),
                "\(String(value)) LIKE \(String(pattern))")
        }
    }
}
