// What keyed state may take in memory when the topology does not say: a quarter of what there is.

import Foundation
import Planning

extension Settings {
    /// `state_memory`, bytes.
    var memoryLimit: Int64 { stateMemory ?? Settings.defaultStateMemory }

    private static let defaultStateMemory: Int64 = {
        let machine = Int64(clamping: ProcessInfo.processInfo.physicalMemory)
        return min(machine, controlGroupLimit ?? machine) / 4
    }()

    /// A container's own limit; "max" where it has none.
    private static var controlGroupLimit: Int64? {
        let text = try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)
        return text.flatMap { Int64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
}
