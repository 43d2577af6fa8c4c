import Columns
import Contracts
import Kernels
import Testing
import Types

@Suite struct MathTests {
    /// An argument from its text; `numeric` has the digits that are written.
    private func value(_ text: String, _ type: LogicalType?) throws -> Expression {
        let digits = text.split(separator: ".")
        let scale = digits.count > 1 ? digits[1].count : 0
        let type = type ?? .numeric(precision: 20, scale: scale)
        let scalar = try #require(Cast.scalar(.text(text), from: .text, to: type))
        return .constant(scalar, type)
    }

    private func text(_ expression: Expression) -> String {
        let result = outcome(.cast(expression, to: .text, place: somewhere))
        if let reason = result.reason { return reason.rawValue }
        guard case .bytes(let bytes) = result.value else { return "NULL" }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("abs", "-17.4", "17.4"), ("round", "42.5", "43"), ("round", "-42.5", "-43"),
        ("ceil", "-42.8", "-42"), ("ceiling", "42.1", "43"), ("floor", "-42.8", "-43"),
        ("trunc", "-42.8", "-42"), ("sign", "-8.4", "-1"), ("-", "8.4", "-8.4"),
    ])
    func numerics(_ name: String, _ argument: String, _ expected: String) throws {
        #expect(text(try call(name, [value(argument, nil)])) == expected)
    }

    @Test(
        arguments: [
            ("round", "42.4382", 2, "42.44"), ("round", "1234.56", -2, "1200"),
            ("round", "1.2", 3, "1.200"),
            ("round", "55", -2, "100"), ("trunc", "42.4382", 2, "42.43"),
            ("trunc", "-1299", -2, "-1200"),
            ("round", "5", -1, "10"), ("round", "5", -38, "0"),
        ] as [(String, String, Int64, String)])
    func digits(_ name: String, _ argument: String, _ digits: Int64, _ expected: String) throws {
        let expression = try call(
            name, [value(argument, nil), .constant(int(digits), .integer)])
        #expect(text(expression) == expected)
    }

    @Test(arguments: [
        ("round", "2.5", "2"), ("round", "3.5", "4"), ("sqrt", "2", "1.4142135623730951"),
        ("sqrt", "-1", "invalid_argument"), ("ln", "0", "invalid_argument"),
        ("ln", "2", "0.6931471805599453"), ("log", "100", "2"), ("log10", "-1", "invalid_argument"),
        ("exp", "1", "2.718281828459045"), ("exp", "1000", "overflow"),
        ("exp", "-1000", "overflow"),
        ("exp", "-Infinity", "0"), ("cbrt", "8", "2"), ("asin", "2", "invalid_argument"),
        ("sin", "Infinity", "invalid_argument"), ("cot", "0", "Infinity"),
        ("atanh", "1", "Infinity"),
        ("degrees", "0.5", "28.64788975654116"), ("radians", "45", "0.7853981633974483"),
        ("sign", "-8.4", "-1"), ("sqrt", "NaN", "NaN"), ("sinh", "1000", "Infinity"),
        ("acosh", "0", "invalid_argument"), ("trunc", "-42.8", "-42"), ("abs", "-1.5", "1.5"),
    ])
    func doubles(_ name: String, _ argument: String, _ expected: String) throws {
        #expect(text(try call(name, [value(argument, .double)])) == expected)
    }

    @Test(arguments: [
        ("power", "9", "3", "729"), ("^", "2", "0.5", "1.4142135623730951"),
        ("power", "0", "-1", "invalid_argument"), ("pow", "-8", "0.5", "invalid_argument"),
        ("power", "1e200", "2", "overflow"), ("power", "1e-200", "2", "overflow"),
        ("power", "NaN", "0", "1"), ("log", "2", "64", "6"), ("log", "1", "2", "division_by_zero"),
        ("atan2", "1", "0", "1.5707963267948966"), ("power", "-2", "3", "-8"),
    ])
    func pairs(_ name: String, _ left: String, _ right: String, _ expected: String) throws {
        let expression = try call(name, [value(left, .double), value(right, .double)])
        #expect(text(expression) == expected)
    }

    @Test func integers() throws {
        #expect(try evaluated("abs", [(.smallint, int(-32768))]).reason == .overflow)
        #expect(try evaluated("abs", [(.integer, int(-5))]).value == int(5))
        #expect(try evaluated("-", [(.bigint, int(.min))]).reason == .overflow)
        #expect(try evaluated("mod", [(.integer, int(-7)), (.integer, int(2))]).value == int(-1))
        #expect(text(try call("div", [value("9.5", nil), value("4", nil)])) == "2")
        #expect(
            text(try call("div", [value("-9.5", nil), value("0.00", nil)])) == "division_by_zero")
        #expect(text(try call("mod", [value("7.5", nil), value("2", nil)])) == "1.5")
    }

    @Test func choosing() throws {
        func values(_ name: String, _ scalars: [Scalar]) throws -> Scalar {
            try evaluated(name, scalars.map { (.bigint, $0) }).value
        }
        #expect(try values("greatest", [int(1), .null, int(3), int(2)]) == int(3))
        #expect(try values("least", [.null, int(2), int(1)]) == int(1))
        #expect(try values("greatest", [.null, .null]) == .null)
        #expect(try values("nullif", [int(5), int(5)]) == .null)
        #expect(try values("nullif", [int(5), .null]) == int(5))
        #expect(try values("nullif", [int(5), int(0)]) == int(5))
        #expect(try values("num_nulls", [int(5), .null]) == int(1))
        #expect(try values("num_nonnulls", [int(5), .null, int(2)]) == int(2))
    }

    @Test func signaturesAreUnique() {
        let signatures = FunctionTable.all.map(\.signature)
        #expect(Set(signatures).count == signatures.count)
    }
}
