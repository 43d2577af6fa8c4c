// The loops that kernels are made of. Each is inlined into a concrete caller, so that the operation
// becomes part of a plain loop over arrays. An array of one value beside one of `count` values
// stands for `count` times that value (`Function.broadcasts`).

@inline(__always)
func mapped<Value: BitwiseCopyable, Result: BitwiseCopyable>(
    _ values: [Value], _ operation: (Value) -> Result
) -> [Result] {
    [Result](capacity: values.count) { output in
        for value in values { output.append(operation(value)) }
    }
}

@inline(__always)
func combined<Left: BitwiseCopyable, Right: BitwiseCopyable, Result: BitwiseCopyable>(
    _ left: [Left], _ right: [Right], count: Int, _ operation: (Left, Right) -> Result
) -> [Result] {
    if right.count == 1 {
        let constant = right[0]
        return [Result](capacity: count) { output in
            for value in left { output.append(operation(value, constant)) }
        }
    }
    if left.count == 1 {
        let constant = left[0]
        return [Result](capacity: count) { output in
            for value in right { output.append(operation(constant, value)) }
        }
    }
    return [Result](capacity: count) { output in
        for row in 0..<count { output.append(operation(left[row], right[row])) }
    }
}

/// The value of a row of an array that may stand for many.
@inline(__always)
func broadcast<Value>(_ values: [Value], _ row: Int) -> Value {
    values.count == 1 ? values[0] : values[row]
}
