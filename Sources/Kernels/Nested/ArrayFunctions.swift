// Kernels of arrays. Elements are looked at in place; new arrays are made by picking rows of the
// elements that are there.

import Columns
import Contracts
import Types

enum ArrayFunctions {
    /// The type of an array argument's elements.
    static func elementType(_ argument: ArgumentType) -> LogicalType {
        guard case .array(let element) = argument.type else { bug("no array: \(argument.type)") }
        return element
    }

    /// Refuses an element of another type than the array's.
    static func requireElement(
        _ array: ArgumentType, _ element: ArgumentType, _ name: String
    ) throws(Failure) {
        let wanted = elementType(array)
        guard element.type == wanted || element.type == .unknown else {
            throw Failure(
                .invalid, "sql.type_mismatch",
                "\(name) of \(array.type) needs \(wanted), this is \(element.type)",
                hint: "write an explicit cast: (…)::\(wanted)")
        }
    }

    /// `array[index]`; NULL outside.
    static func element(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let list = call.list(0)
        let indexes = call.int64s(1)
        let element = list.element
        var rows: [Int32] = []
        rows.reserveCapacity(call.rowCount)
        var validity = Array(repeating: false, count: call.rowCount)
        for row in 0..<call.rowCount {
            let range = list.ranges[row]
            let index = indexes[row]
            guard index >= 1, index <= Int64(range.count), call.isWanted(row) else {
                rows.append(-1)
                continue
            }
            let position = range.lowerBound + Int(index) - 1
            validity[row] = element.isValid(position)
            rows.append(Int32(position))
        }
        guard element.count > 0 else { return .nulls(call.type, count: call.rowCount) }
        let picked = element.gather(rows.map { max(0, $0) })
        return Column(call.type, picked.values, validity: validity)
    }

    /// `value = ANY (array)` with its NULLs: true if found, NULL if not found but something is
    /// NULL.
    static func contains(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (arrays, values) = (call.arguments[0], call.arguments[1])
        var answers = Array(repeating: false, count: call.rowCount)
        guard case .list(let list) = arrays.values else {
            return .nulls(.boolean, count: call.rowCount)
        }
        let element = list.element
        var validity = Array(repeating: true, count: call.rowCount)
        for row in 0..<call.rowCount {
            let range = list.ranges[row]
            guard arrays.isValid(row) else {
                validity[row] = false
                continue
            }
            if range.count == 0 { continue }
            guard TextBuilding.isPresent(values, row) else {
                validity[row] = false
                continue
            }
            var hasNull = false
            for position in range.lowerBound..<range.upperBound {
                if !element.isValid(position) {
                    hasNull = true
                } else if compareValues(element, position, values, row) == 0 {
                    answers[row] = true
                    break
                }
            }
            validity[row] = answers[row] || !hasNull
        }
        return Column(.boolean, .bool(answers), validity: validity)
    }

    static func cardinality(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let list = call.list(0)
        return Column(
            .integer, .int64(list.ranges.map { Int64(leaves(list.element, $0)) }))
    }

    /// All elements of all dimensions.
    private static func leaves(_ element: Column, _ range: ValueRange) -> Int {
        guard case .list(let inner) = element.values else { return range.count }
        return (range.lowerBound..<range.upperBound).reduce(0) {
            $0 + leaves(inner.element, inner.ranges[$1])
        }
    }

    /// `array_length`, `array_upper` (`isLower`: `array_lower`, 1) of a dimension; NULL without it.
    static func length(isLower: Bool = false) -> Function.Kernel {
        { call, _ in
            let list = call.list(0)
            let dimensions = call.int64s(1)
            var values: [Int64] = []
            var validity: [Bool] = []
            for row in 0..<call.rowCount {
                let length = dimension(list, list.ranges[row], dimensions[row])
                values.append(isLower ? 1 : length ?? 0)
                validity.append(length != nil)
            }
            return Column(.integer, .int64(values), validity: validity)
        }
    }

    private static func dimension(
        _ list: ListColumn, _ range: ValueRange, _ number: Int64
    ) -> Int64? {
        guard number >= 1, range.count > 0 else { return nil }
        if number == 1 { return Int64(range.count) }
        guard case .list(let inner) = list.element.values else { return nil }
        return dimension(inner, inner.ranges[range.lowerBound], number - 1)
    }

    /// `array_position(array, value [, start])`: from 1; NULL is found too.
    static func position(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (arrays, wanted) = (call.arguments[0], call.arguments[1])
        guard case .list(let list) = arrays.values else {
            return .nulls(.integer, count: call.rowCount)
        }
        let starts = call.arguments.count == 3 ? call.arguments[2] : nil
        let element = list.element
        var values = Array(repeating: Int64(0), count: call.rowCount)
        var validity = Array(repeating: false, count: call.rowCount)
        for row in 0..<call.rowCount where arrays.isValid(row) {
            var first: Int64 = 1
            if let starts {
                guard starts.isValid(row), case .int64(let numbers) = starts.values else {
                    errors.note(
                        row, .invalidArgument, "initial position must not be null", in: call)
                    continue
                }
                first = max(1, numbers[row])
            }
            let range = list.ranges[row]
            let isNull = !TextBuilding.isPresent(wanted, row)
            var index = first
            while index <= Int64(range.count) {
                let position = range.lowerBound + Int(index) - 1
                let isValid = element.isValid(position)
                if isNull ? !isValid : isValid && compareValues(element, position, wanted, row) == 0
                {
                    values[row] = index
                    validity[row] = true
                    break
                }
                index += 1
            }
        }
        return Column(.integer, .int64(values), validity: validity)
    }

    /// `array_to_string(array, separator [, null text])`.
    static func joined(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        guard case .list(let list) = call.arguments[0].values,
            case .bytes(let separators) = call.arguments[1].values
        else { return .nulls(.text, count: call.rowCount) }
        let nullTexts = call.arguments.count == 3 ? call.arguments[2] : nil
        var output = TextOutput(rowCount: call.rowCount)
        for row in 0..<call.rowCount {
            guard call.arguments[0].isValid(row), call.arguments[1].isValid(row) else {
                output.endNull()
                continue
            }
            var nullText: ArraySlice<UInt8>?
            if let nullTexts, nullTexts.isValid(row), case .bytes(let texts) = nullTexts.values {
                nullText = texts[row]
            }
            var isFirst = true
            appendJoined(
                list.element, list.ranges[row], separators[row], nullText, &isFirst,
                to: &output.data)
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    private static func appendJoined(
        _ element: Column, _ range: ValueRange, _ separator: ArraySlice<UInt8>,
        _ nullText: ArraySlice<UInt8>?, _ isFirst: inout Bool, to output: inout [UInt8]
    ) {
        for position in range.lowerBound..<range.upperBound {
            if case .list(let inner) = element.values, element.isValid(position) {
                appendJoined(
                    inner.element, inner.ranges[position], separator, nullText, &isFirst,
                    to: &output)
                continue
            }
            let isValid = TextBuilding.isPresent(element, position)
            guard isValid || nullText != nil else { continue }
            if !isFirst { output.append(contentsOf: separator) }
            isFirst = false
            if isValid {
                TextBuilding.appendOutput(element, position, to: &output)
            } else if let nullText {
                output.append(contentsOf: nullText)
            }
        }
    }

    /// `string_to_array(text, delimiter [, null text])`: the parts share the text's buffer.
    static func split(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let text = call.arguments[0]
        guard case .bytes(let input) = text.values else {
            return .nulls(call.type, count: call.rowCount)
        }
        let data = input.data
        var lists: [ValueRange] = []
        var ranges: [ValueRange] = []
        for row in 0..<call.rowCount {
            let first = ranges.count
            let range = input.ranges[row]
            if text.isValid(row), range.count > 0 {
                appendParts(call.arguments[1], row, data, range, to: &ranges)
            }
            lists.append(ValueRange(start: first, length: ranges.count - first))
        }
        var present = Array(repeating: true, count: ranges.count)
        if call.arguments.count == 3, case .bytes(let nulls) = call.arguments[2].values {
            for row in 0..<call.rowCount where call.arguments[2].isValid(row) {
                for part in lists[row].lowerBound..<lists[row].upperBound {
                    present[part] = !bytesEqual(data, ranges[part], nulls.data, nulls.ranges[row])
                }
            }
        }
        let element = Column(
            .text, .bytes(ByteColumn(ranges: ranges, data: data)), validity: present)
        return Column(
            call.type, .list(ListColumn(ranges: lists, element: element)), validity: text.validity)
    }

    /// Parts between delimiters; of a NULL delimiter the characters, of an empty one the whole.
    private static func appendParts(
        _ delimiters: Column, _ row: Int, _ data: [UInt8], _ range: ValueRange,
        to ranges: inout [ValueRange]
    ) {
        guard case .bytes(let texts) = delimiters.values, delimiters.isValid(row) else {
            var index = range.lowerBound
            while index < range.upperBound {
                let next = Text.next(data, index, end: range.upperBound)
                ranges.append(ValueRange(start: index, length: next - index))
                index = next
            }
            return
        }
        let delimiter = texts.ranges[row]
        var start = range.lowerBound
        while delimiter.count > 0,
            let found = Text.find(
                texts.data, delimiter.lowerBound, delimiter.upperBound, in: data, from: start,
                end: range.upperBound)
        {
            ranges.append(ValueRange(start: start, length: found - start))
            start = found + delimiter.count
        }
        ranges.append(ValueRange(start: start, length: range.upperBound - start))
    }

    // MARK: New arrays

    /// `array || array`; NULL is nothing.
    static func concatenation(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        build(call) { row, builder in
            var isNull = true
            for argument in call.arguments {
                guard argument.isValid(row), case .list(let list) = argument.values else {
                    continue
                }
                isNull = false
                let range = list.ranges[row]
                for position in range.lowerBound..<range.upperBound {
                    builder.append(list.element, row: position)
                }
            }
            return !isNull
        }
    }

    /// `array || element`, `element || array`; a NULL array is an empty one.
    static func append(array: Int) -> Function.Kernel {
        { call, _ in
            let (arrays, elements) = (call.arguments[array], call.arguments[1 - array])
            return build(call) { row, builder in
                if array == 1 { builder.append(elements, row: row) }
                if arrays.isValid(row), case .list(let list) = arrays.values {
                    let range = list.ranges[row]
                    for position in range.lowerBound..<range.upperBound {
                        builder.append(list.element, row: position)
                    }
                }
                if array == 0 { builder.append(elements, row: row) }
                return true
            }
        }
    }

    /// `array_remove(array, value)`; NULL removes NULLs.
    static func remove(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let (arrays, values) = (call.arguments[0], call.arguments[1])
        return build(call) { row, builder in
            guard arrays.isValid(row), case .list(let list) = arrays.values else { return false }
            let range = list.ranges[row]
            let isNull = !TextBuilding.isPresent(values, row)
            for position in range.lowerBound..<range.upperBound {
                let isValid = list.element.isValid(position)
                let isGone =
                    isNull
                    ? !isValid : isValid && compareValues(list.element, position, values, row) == 0
                if !isGone { builder.append(list.element, row: position) }
            }
            return true
        }
    }

    /// An array a row: `fill` appends its elements and says whether it is not NULL.
    private static func build(
        _ call: KernelCall, _ fill: (Int, inout ColumnBuilder) -> Bool
    ) -> Column {
        guard case .array(let type) = call.type else { bug("no array: \(call.type)") }
        var builder = ColumnBuilder(type)
        var ranges: [ValueRange] = []
        ranges.reserveCapacity(call.rowCount)
        var validity: [Bool] = []
        for row in 0..<call.rowCount {
            let start = builder.count
            validity.append(fill(row, &builder))
            ranges.append(ValueRange(start: start, length: builder.count - start))
        }
        return Column(
            call.type, .list(ListColumn(ranges: ranges, element: builder.finish())),
            validity: validity)
    }
}
