// approx_count_distinct over append-only input: HyperLogLog (Flajolet et al. 2007).
//
// 2¹² registers a group: standard error 1.04 / √4096 = 1.6 %. A group of few values keeps the list
// of its (register, rank) pairs, which is exact up to collisions; it becomes registers when that is
// smaller. Over updating input the exact multiset is kept instead.

import Columns
import Contracts
import Kernels
import State
import Types

final class SketchAccumulators: Accumulators {
    private let argument: Int
    private var registers: [[UInt8]] = []
    /// Sorted, one a register: register << 8 | rank.
    private var sparse: [[UInt32]] = []
    /// Of registers and pairs: asked for every batch, so it is kept.
    private var contentBytes = 0

    private static let bits = 12
    private static let sparseLimit = 512

    init(argument: Int) { self.argument = argument }

    func grow(to capacity: Int) {
        registers.grow(to: capacity, [])
        sparse.grow(to: capacity, [])
    }

    func clear(_ group: Int32) {
        contentBytes -= registers[Int(group)].count + sparse[Int(group)].count * 4
        registers[Int(group)] = []
        sparse[Int(group)] = []
    }

    func release() {
        registers = []
        sparse = []
        contentBytes = 0
    }

    var byteCount: Int { registers.count * 64 + contentBytes }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        require(folded.changes == nil, "a sketch meets a retraction")
        let hashes = KeyHash.hashes([batch.columns[argument]], rowCount: batch.rowCount)
        for index in folded.rows.indices {
            let hash = hashes[Int(folded.rows[index])]
            let register = Int(truncatingIfNeeded: hash >> UInt64(64 - Self.bits))
            let rank = UInt8(min((hash << UInt64(Self.bits)).leadingZeroBitCount, 52) + 1)
            raise(Int(folded.groups[index]), register, to: rank)
        }
    }

    private func raise(_ group: Int, _ register: Int, to rank: UInt8) {
        if !registers[group].isEmpty {
            registers[group][register] = max(registers[group][register], rank)
            return
        }
        let entry = UInt32(register) << 8 | UInt32(rank)
        var low = 0
        var high = sparse[group].count
        while low < high {
            let middle = (low + high) / 2
            if sparse[group][middle] >> 8 < UInt32(register) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        if low < sparse[group].count, sparse[group][low] >> 8 == UInt32(register) {
            sparse[group][low] = max(sparse[group][low], entry)
            return
        }
        sparse[group].insert(entry, at: low)
        contentBytes += 4
        if sparse[group].count > Self.sparseLimit { spread(group) }
    }

    private func spread(_ group: Int) {
        registers[group] = Array(repeating: 0, count: 1 << Self.bits)
        for entry in sparse[group] {
            registers[group][Int(entry >> 8)] = UInt8(truncatingIfNeeded: entry)
        }
        contentBytes += registers[group].count - sparse[group].count * 4
        sparse[group] = []
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            let to = Int(into[index])
            for entry in other.sparse[Int(groups[index])] {
                raise(to, Int(entry >> 8), to: UInt8(truncatingIfNeeded: entry))
            }
            for (register, rank) in other.registers[Int(groups[index])].enumerated() where rank > 0
            {
                raise(to, register, to: rank)
            }
        }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        Column(.bigint, .int64(groups.map { estimate(Int($0)) }))
    }

    /// Linear counting while registers are empty, else the harmonic mean.
    private func estimate(_ group: Int) -> Int64 {
        let size = 1 << Self.bits
        let empty =
            registers[group].isEmpty
            ? size - sparse[group].count : registers[group].count { $0 == 0 }
        let count = Double(size)
        var sum = Double(empty)
        for entry in sparse[group] {
            sum += Double(sign: .plus, exponent: -Int(entry & 0xFF), significand: 1)
        }
        for rank in registers[group] where rank > 0 {
            sum += Double(sign: .plus, exponent: -Int(rank), significand: 1)
        }
        let raw = 0.7213 / (1 + 1.079 / count) * count * count / sum
        guard raw <= 2.5 * count, empty > 0 else { return Int64(raw.rounded()) }
        return Int64((count * naturalLogarithm(count / Double(empty))).rounded())
    }

    func encode(_ group: Int32, into bytes: inout [UInt8]) {
        bytes.append(registers[Int(group)].isEmpty ? 0 : 1)
        if registers[Int(group)].isEmpty {
            bytes.appendVarint(UInt64(sparse[Int(group)].count))
            for entry in sparse[Int(group)] { bytes.appendVarint(UInt64(entry)) }
        } else {
            bytes.append(contentsOf: registers[Int(group)])
        }
    }

    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {
        clear(group)
        if try reader.byte() == 1 {
            registers[Int(group)] = Array(try reader.take(1 << Self.bits))
            contentBytes += registers[Int(group)].count
            return
        }
        let count = try reader.varint()
        for _ in 0..<min(count, UInt64(Self.sparseLimit)) {
            let entry = UInt32(truncatingIfNeeded: try reader.varint())
            sparse[Int(group)].append(min(entry, UInt32(1 << Self.bits) << 8 - 1))
            contentBytes += 4
        }
    }
}

/// ln x for x ≥ 1, by the series of artanh over the fraction; the exponent's part is exact.
private func naturalLogarithm(_ value: Double) -> Double {
    let ratio = (value.significand - 1) / (value.significand + 1)
    var term = ratio
    var sum = 0.0
    for odd in stride(from: 1.0, through: 41, by: 2) {
        sum += term / odd
        term *= ratio * ratio
    }
    return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
}
