import Columns
import Kernels
import Testing
import Types

@Suite struct HashAndOrderTests {
    private func hash(_ type: LogicalType, _ scalar: Scalar) -> UInt64 {
        hashRows([column(type, [scalar])], rowCount: 1)[0]
    }

    @Test func equalKeysHashAlike() {
        #expect(hash(.double, .float64(0)) == hash(.double, .float64(-0.0)))
        let payload = Double(bitPattern: 0xFFF8_0000_0000_0001)
        #expect(hash(.double, .float64(.nan)) == hash(.double, .float64(payload)))
        #expect(
            hash(.interval, .interval(IntervalValue(months: 1)))
                == hash(.interval, .interval(IntervalValue(days: 30))))
        #expect(hash(.bigint, .null) == hash(.text, .null))
        #expect(hash(.bigint, .null) != hash(.bigint, int(0)))
    }

    /// Stored state is laid out by these: a change of any loses state.
    @Test func knownAnswers() {
        #expect(hashRows([], rowCount: 1) == [0x8A5C_D789_635D_2DFF])
        #expect(hash(.boolean, .bool(true)) == 0x027A_461F_BDF3_3337)
        #expect(hash(.bigint, int(0)) == 0x7615_8D64_2AD9_34EF)
        #expect(hash(.bigint, int(-1)) == 0xD620_A070_2036_E57A)
        #expect(hash(.double, .float64(1.5)) == 0x469F_62CC_246A_BF21)
        #expect(hash(.double, .float64(.nan)) == 0xBF73_8BC1_7061_BC16)
        #expect(hash(.numeric(precision: 38, scale: 2), .int128(-12345)) == 0xC77B_0AB8_C1F9_6FA1)
        #expect(hash(.interval, .interval(IntervalValue(months: 1))) == 0x2556_71F2_04B9_085C)
        #expect(hash(.text, .text("")) == 0x4A8B_952E_D891_E86B)
        #expect(hash(.text, .text("millrace")) == 0xD621_209F_02D3_EBEE)
        #expect(hash(.bigint, .null) == 0x089D_B4C0_9884_B97E)
        #expect(hash(.array(.bigint), .list([int(1), .null])) == 0x81D4_FE6B_44E9_8527)
        let row = LogicalType.row(
            RowType(name: nil, fields: [Field("a", .bigint), Field("b", .text)]))
        #expect(hash(row, .row([int(1), .text("x")])) == 0x1D88_9DD2_EA2F_EAA4)
        let (a, b) = (column(.bigint, [int(1)]), column(.text, [.text("x")]))
        #expect(hashRows([a, b], rowCount: 1) == [0x79E7_5CA6_95FC_B34C])
    }

    @Test func orderOfColumnsMatters() {
        let (a, b) = (column(.bigint, [int(1)]), column(.bigint, [int(2)]))
        #expect(hashRows([a, b], rowCount: 1) != hashRows([b, a], rowCount: 1))
    }

    /// Sharing a buffer must not show.
    @Test func gatheredTextHashesAlike() {
        let texts = column(.text, [.text("a"), .text("bc"), .text(""), .text("bc")])
        let hashes = hashRows([texts], rowCount: 4)
        #expect(
            hashRows([texts.gather([3, 0, 2])], rowCount: 3) == [hashes[1], hashes[0], hashes[2]])
    }

    @Test func sorting() {
        let keys = column(.bigint, [int(2), .null, int(1), int(2)])
        let texts = column(.text, [.text("b"), .text("a"), .text("z"), .text("B")])
        #expect(sortedRows([SortKey(keys)], rowCount: 4) == [2, 0, 3, 1])
        #expect(sortedRows([SortKey(keys, isDescending: true)], rowCount: 4) == [1, 0, 3, 2])
        #expect(sortedRows([SortKey(keys, nullsFirst: true)], rowCount: 4) == [1, 2, 0, 3])
        #expect(sortedRows([SortKey(keys), SortKey(texts)], rowCount: 4) == [2, 3, 0, 1])
        let plain = column(.bigint, [int(2), int(3), int(1), int(2)])
        #expect(sortedRows([SortKey(plain)], rowCount: 4) == [2, 0, 3, 1])
        #expect(sortedRows([SortKey(plain, isDescending: true)], rowCount: 4) == [1, 0, 3, 2])
    }

    @Test(
        arguments: [
            (.double, .float64(.nan), .float64(.infinity), 1),
            (.double, .float64(.nan), .float64(.nan), 0),
            (.double, .float64(-0.0), .float64(0), 0), (.text, .text("Z"), .text("a"), -1),
            (.text, .text("a"), .text("ab"), -1), (.text, .text("é"), .text("z"), 1),
            (.interval, .interval(IntervalValue(months: 1)), .interval(IntervalValue(days: 30)), 0),
            (.boolean, .bool(false), .bool(true), -1), (.bigint, .null, int(5), 1),
            (.array(.bigint), .list([int(1)]), .list([int(1), int(0)]), -1),
            (.array(.bigint), .list([.null]), .list([int(9), int(0)]), 1),
        ] as [(LogicalType, Scalar, Scalar, Int)])
    func comparison(_ type: LogicalType, _ left: Scalar, _ right: Scalar, _ expected: Int) throws {
        let (first, second) = (column(type, [left]), column(type, [right]))
        #expect(compareRows(first, 0, second, 0) == expected)
        #expect(compareRows(second, 0, first, 0) == -expected)
        let distinct = outcome(try call("is_distinct", [type, type]), [first, second])
        #expect(distinct.value == .bool(expected != 0))
        if left.isNull || right.isNull { return }
        for (name, holds) in [
            ("=", expected == 0), ("<>", expected != 0), ("<", expected < 0), ("<=", expected <= 0),
            (">", expected > 0), (">=", expected >= 0),
        ] {
            #expect(try evaluated(name, [(type, left), (type, right)]).value == .bool(holds))
        }
    }
}
