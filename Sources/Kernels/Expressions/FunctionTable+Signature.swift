// Shapes that most entries of the function table share.

import Columns
import Contracts
import Types

extension Function {
    /// A function of fixed types with a fixed result.
    static func plain(
        _ name: String, _ parameters: [LogicalType], _ result: LogicalType,
        isStrict: Bool = true, canFail: Bool = false, _ summary: String,
        _ kernel: @escaping Kernel
    ) -> Function {
        Function(
            name, parameters.map(Parameter.exactly), isStrict: isStrict, canFail: canFail,
            summary: summary, resultType: { _ in result }, kernel: kernel)
    }
}

extension KernelCall {
    /// Text, json or bytea of an argument that is not NULL throughout.
    func bytes(_ argument: Int) -> ByteColumn {
        guard case .bytes(let bytes) = arguments[argument].values else {
            bug("argument \(argument) is no text: \(arguments[argument].type)")
        }
        return bytes
    }

    func int64s(_ argument: Int) -> [Int64] {
        guard case .int64(let values) = arguments[argument].values else {
            bug("argument \(argument) is no integer or time: \(arguments[argument].type)")
        }
        return values
    }

    func float64s(_ argument: Int) -> [Double] {
        guard case .float64(let values) = arguments[argument].values else {
            bug("argument \(argument) is no float: \(arguments[argument].type)")
        }
        return values
    }

    func intervals(_ argument: Int) -> [IntervalValue] {
        guard case .interval(let values) = arguments[argument].values else {
            bug("argument \(argument) is no interval: \(arguments[argument].type)")
        }
        return values
    }

    func list(_ argument: Int) -> ListColumn {
        guard case .list(let list) = arguments[argument].values else {
            bug("argument \(argument) is no array: \(arguments[argument].type)")
        }
        return list
    }

    /// A constant text argument's bytes.
    func constantBytes(_ argument: Int) -> [UInt8]? {
        guard case .bytes(let bytes) = constants[argument] else { return nil }
        return bytes
    }

    /// Whether a strict function has to answer for a row.
    @inline(__always)
    func isWanted(_ row: Int) -> Bool { validity?[row] ?? true }
}
