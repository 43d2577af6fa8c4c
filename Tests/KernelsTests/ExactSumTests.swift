import Kernels
import Testing
import Types

@Suite struct ExactSumTests {
    @Test func integersRunOverAndComeBack() {
        var sum = IntegerSum()
        for _ in 0..<5 { sum.add(Int128.max) }
        #expect(sum.int128 == nil)
        for _ in 0..<5 { sum.subtract(Int128.max) }
        #expect(sum == IntegerSum())
        sum.add(Int64.max)
        sum.add(Int64(1))
        #expect(sum.value(as: .bigint) == nil)
        #expect(sum.value(as: .numeric(precision: 38, scale: 0)) == Int128(Int64.max) + 1)
        sum.subtract(Int128(Int64.max) + 2)
        #expect(sum.value(as: .bigint) == -1)
    }

    @Test func integersRoundTrip() throws {
        var sum = IntegerSum()
        sum.add(Int128.min)
        sum.add(Int128.min)
        var bytes: [UInt8] = [9]
        sum.append(to: &bytes)
        var position = 1
        #expect(try #require(IntegerSum(reading: bytes, at: &position)) == sum)
        #expect(position == bytes.count)
        #expect(IntegerSum(reading: bytes, at: &position) == nil)
    }

    @Test func averages() {
        var sum = IntegerSum()
        for value in [1, 2, 2] as [Int64] { sum.add(value) }
        #expect(sum.average(count: 3, scale: 0, resultScale: 16) == 16_666_666_666_666_667)
        var negative = IntegerSum()
        negative.add(Int64(-1))
        #expect(negative.average(count: 2, scale: 0, resultScale: 0) == -1)
        var wide = IntegerSum()
        for _ in 0..<4 { wide.add(Numeric.powerOfTen(38) - 1) }
        #expect(wide.average(count: 4, scale: 0, resultScale: 0) == Numeric.powerOfTen(38) - 1)
    }

    /// 10^16 + 1 − 10^16 is lost in doubles; here it is not, in whatever order.
    @Test func floatsDoNotDependOnOrder() throws {
        var random = SplitMix(state: 7)
        var values: [Double] = [1e308, 1e308, -1e308, 0x1p-1063, 1, 1e16, -1e16, 0.1, -1e-5]
        for _ in 0..<500 {
            let value = Double(bitPattern: random.next())
            if value.isFinite { values.append(value / 1e3) }
        }
        var bytes: [UInt8]?
        for _ in 0..<5 {
            values.shuffle(using: &random)
            var sum = FloatSum()
            for value in values { sum.add(value) }
            var written: [UInt8] = []
            sum.append(to: &written)
            if let bytes { #expect(bytes == written) }
            bytes = written
            var position = 0
            let read = try #require(FloatSum(reading: written, at: &position))
            #expect(read == sum)
            for value in values.shuffled(using: &random) { sum.subtract(value) }
            #expect(sum == FloatSum())
        }
    }

    @Test func floatsAreRoundedOnce() {
        var sum = FloatSum()
        for _ in 0..<10 { sum.add(0.1) }
        #expect(sum.value() == 1.0)
        var cancelling = FloatSum()
        for value in [1e16, 1, -1e16] { cancelling.add(value) }
        #expect(cancelling.value() == 1)
        var small = FloatSum()
        small.add(.leastNonzeroMagnitude)
        #expect(small.value() == .leastNonzeroMagnitude)
        small.add(-2 * .leastNonzeroMagnitude)
        #expect(small.value() == -.leastNonzeroMagnitude)
    }

    /// A sum of integers is exact in both kinds, so they must agree.
    @Test func floatsAgreeWithIntegers() {
        var random = SplitMix(state: 3)
        for _ in 0..<200 {
            var exact = IntegerSum()
            var sum = FloatSum()
            for _ in 0..<(random.next() % 40) {
                let value = Int64(bitPattern: random.next()) >> Int64(random.next() % 63)
                let rounded = Double(value)
                sum.add(rounded)
                exact.add(Int128(rounded))
            }
            #expect(sum.value() == exact.int128.map { Double($0) })
        }
    }

    @Test func specialValuesAreTakenBack() {
        var sum = FloatSum()
        sum.add(1.5)
        sum.add(.infinity)
        #expect(sum.value() == .infinity)
        sum.add(-.infinity)
        #expect(sum.value()?.isNaN == true)
        sum.subtract(.infinity)
        #expect(sum.value() == -.infinity)
        sum.subtract(-.infinity)
        sum.add(.nan)
        #expect(sum.value()?.isNaN == true)
        sum.subtract(.nan)
        #expect(sum.value() == 1.5)
        for _ in 0..<2 { sum.add(.greatestFiniteMagnitude) }
        #expect(sum.value() == nil)
        sum.subtract(.greatestFiniteMagnitude)
        #expect(sum.value() == .greatestFiniteMagnitude)
        #expect(sum.value(as: .real) == nil)
    }

    @Test func merging() {
        var (left, right, both) = (FloatSum(), FloatSum(), FloatSum())
        for value in [1e300, -3.5, 1e-300, 7] {
            left.add(value)
            both.add(value)
        }
        for value in [-1e300, 2, .infinity] {
            right.add(value)
            both.add(value)
        }
        left.merge(right)
        #expect(left == both)
    }

    /// Values far from zero and near each other: the textbook formula loses all digits.
    @Test func variances() {
        var (sum, squares) = (FloatSum(), FloatSum())
        for value in [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16] {
            sum.add(value)
            squares.addSquare(of: value, change: 1)
        }
        #expect(sum.variance(squares: squares, count: 4, isSample: true) == 30)
        #expect(sum.variance(squares: squares, count: 4, isSample: false) == 22.5)
        #expect(sum.variance(squares: squares, count: 1, isSample: true) == nil)
        var (exact, exactSquares) = (IntegerSum(), IntegerSum())
        for value in [104, 107, 113, 116] as [Int128] {
            exact.add(value)
            exactSquares.addSquare(of: value, change: 1)
        }
        #expect(exact.variance(squares: exactSquares, count: 4, scale: 0, isSample: true) == 30)
        #expect(exact.variance(squares: exactSquares, count: 4, scale: 1, isSample: true) == 0.3)
        exactSquares.addSquare(of: 116, change: -1)
        exact.subtract(Int128(116))
        #expect(exact.variance(squares: exactSquares, count: 3, scale: 0, isSample: true) == 21)
    }
}
