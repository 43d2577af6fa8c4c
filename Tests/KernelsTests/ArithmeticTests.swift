import Columns
import Contracts
import Kernels
import Testing
import Types

@Suite struct ArithmeticTests {
    @Test(
        arguments: [
            ("+", 32767, 1, nil), ("-", -32768, 1, nil), ("*", 200, 200, nil),
            ("+", 32766, 1, 32767),
            ("/", 7, 2, 3), ("/", -7, 2, -3), ("%", -7, 2, -1), ("%", -32768, -1, 0),
            ("/", -32768, -1, nil), ("*", -128, 256, -32768),
        ] as [(String, Int64, Int64, Int64?)])
    func smallints(_ name: String, _ left: Int64, _ right: Int64, _ expected: Int64?) throws {
        let result = try evaluated(name, [(.smallint, int(left)), (.smallint, int(right))])
        let wanted = expected.map { Outcome(value: int($0)) }
        #expect(result == wanted ?? Outcome(value: .null, reason: .overflow))
    }

    @Test(
        arguments: [
            ("+", Int64.max, 1), ("-", .min, 1), ("*", .max, 2), ("/", .min, -1),
        ] as [(String, Int64, Int64)])
    func bigintsOverflow(_ name: String, _ left: Int64, _ right: Int64) throws {
        let result = try evaluated(name, [(.bigint, int(left)), (.bigint, int(right))])
        #expect(result.reason == .overflow)
    }

    @Test(arguments: ["/", "%"])
    func divisionByZero(_ name: String) throws {
        let decimal = LogicalType.numeric(precision: 5, scale: 2)
        #expect(
            try evaluated(name, [(.integer, int(1)), (.integer, int(0))]).reason == .divisionByZero)
        #expect(
            try evaluated(name, [(decimal, .int128(1)), (decimal, .int128(0))]).reason
                == .divisionByZero)
    }

    @Test func floats() throws {
        func apply(_ name: String, _ left: Double, _ right: Double) throws -> Outcome {
            try evaluated(name, [(.double, .float64(left)), (.double, .float64(right))])
        }
        #expect(try apply("/", 1, 0).reason == .divisionByZero)
        #expect(try apply("/", .infinity, 0).reason == .divisionByZero)
        #expect(try apply("*", 1e300, 1e300).reason == .overflow)
        #expect(try apply("*", 1e-300, 1e-300).reason == .overflow)
        #expect(try apply("+", .infinity, 1) == Outcome(value: .float64(.infinity)))
        #expect(try apply("/", 1, .infinity) == Outcome(value: .float64(0)))
        #expect(try apply("+", 0.1, 0.2) == Outcome(value: .float64(0.30000000000000004)))
        let real = try evaluated("*", [(.real, .float64(3e38)), (.real, .float64(2))])
        #expect(real.reason == .overflow)
    }

    /// Row, error, NULL: an error under a NULL argument is none.
    @Test func errorsUnderNullsAreDropped() throws {
        let left = column(.bigint, [int(8), .null, int(1), int(6)])
        let right = column(.bigint, [int(2), int(0), int(0), .null])
        var errors = RowErrors()
        let result = try call("/", [.bigint, .bigint])
            .evaluate(Batch(rowCount: 4, columns: [left, right]), errors: &errors)
        #expect(Array(errors.errors.keys) == [2])
        #expect(errors.errors[2]?.place?.offset == 7)
        #expect(result.scalar(0) == int(4))
        #expect(result.scalar(1) == .null)
        #expect(result.scalar(3) == .null)
    }

    @Test(arguments: [
        ("1.5", "+", "2.25", "3.75"), ("1.5", "-", "2.25", "-0.75"), ("1.5", "*", "2.25", "3.375"),
        ("1", "/", "3", "0.3333333333333333"), ("2", "/", "3", "0.6666666666666667"),
        ("-2", "/", "3", "-0.6666666666666667"), ("7.5", "%", "-2", "1.5"),
        ("-7.25", "%", "2.5", "-2.25"), ("0.01", "/", "0.02", "0.5000000000000000"),
    ])
    func numerics(_ left: String, _ name: String, _ right: String, _ expected: String) throws {
        let (first, second) = try (numeric(left), numeric(right))
        let expression = try call(
            name, [.constant(first.1, first.0), .constant(second.1, second.0)])
        let text = outcome(.cast(expression, to: .text, place: somewhere))
        #expect(text == Outcome(value: .text(expected)))
    }

    @Test func resultTypes() throws {
        func type(_ name: String, _ left: (Int, Int), _ right: (Int, Int)) throws -> String {
            try call(
                name,
                [
                    .numeric(precision: left.0, scale: left.1),
                    .numeric(precision: right.0, scale: right.1),
                ]
            ).type.description
        }
        #expect(try type("+", (10, 2), (5, 4)) == "numeric(13,4)")
        #expect(try type("-", (38, 2), (5, 4)) == "numeric(38,4)")
        #expect(try type("*", (10, 2), (5, 4)) == "numeric(15,6)")
        #expect(try type("/", (10, 2), (5, 4)) == "numeric(38,16)")
        #expect(try type("/", (38, 20), (5, 4)) == "numeric(38,20)")
        #expect(try type("%", (10, 2), (5, 4)) == "numeric(12,4)")
        #expect(throws: Failure.self) { try type("*", (38, 20), (38, 20)) }
    }

    /// The product and quotient against schoolbook arithmetic on decimal digits.
    @Test func wideQuotientsMatchLongDivision() {
        var random = SplitMix(state: 42)
        for _ in 0..<3000 {
            let left = random.decimal()
            let right = random.decimal()
            if right == 0 { continue }
            let exponent = Int(random.next() % 77)
            let fast = Numeric.quotient(left, right, exponent: exponent)
            #expect(
                fast == longDivision(left, right, exponent: exponent),
                "\(left) * 10^\(exponent) / \(right)")
        }
    }

    @Test func rescaling() {
        #expect(Numeric.rescale(125, from: 2, to: 1) == 13)
        #expect(Numeric.rescale(-125, from: 2, to: 1) == -13)
        #expect(Numeric.rescale(124, from: 2, to: 1) == 12)
        #expect(Numeric.rescale(5, from: 0, to: 38) == nil)
        #expect(Numeric.rescale(0, from: 0, to: 38) == 0)
    }

    private func numeric(_ text: String) throws -> (LogicalType, Scalar) {
        let scale = text.split(separator: ".").dropFirst().first?.count ?? 0
        let type = LogicalType.numeric(precision: 10, scale: scale)
        return (type, try #require(Cast.scalar(.text(text), from: .text, to: type)))
    }
}

/// Digit by digit, half away from zero; nil beyond 38 digits.
private func longDivision(_ left: Int128, _ right: Int128, exponent: Int) -> Int128? {
    let divisor = right.magnitude
    var digits = String(left.magnitude).utf8.map { UInt128($0 - 48) }
    digits += Array(repeating: 0, count: exponent)
    var rest: UInt128 = 0
    var quotient: [UInt128] = []
    for digit in digits {
        rest = rest * 10 + digit
        quotient.append(rest / divisor)
        rest %= divisor
    }
    var value: UInt128 = 0
    for digit in quotient {
        if value >= 10_000_000_000_000_000_000_000_000_000_000_000_000 { return nil }
        value = value * 10 + digit
    }
    if rest * 2 >= divisor { value += 1 }
    if value >= 100_000_000_000_000_000_000_000_000_000_000_000_000 { return nil }
    return (left < 0) != (right < 0) ? -Int128(value) : Int128(value)
}

/// A small generator with a seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// Of any length up to 37 digits.
    mutating func decimal() -> Int128 {
        var value: Int128 = 0
        for _ in 0..<(next() % 37 + 1) { value = value * 10 + Int128(next() % 10) }
        return next() % 2 == 0 ? value : -value
    }
}
