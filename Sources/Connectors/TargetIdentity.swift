// Stable numbers for what is committed by itself.

public import Planning
public import Progress

/// How commit targets are named in state and markers.
public enum TargetIdentity {
    /// All Kafka outputs and dead letters of one cluster.
    public static func kafka(bootstrapServers: String) -> TargetID {
        hash("kafka|" + bootstrapServers)
    }

    /// A table.
    public static func output(_ outputID: UInt64) -> TargetID { outputID }

    /// FNV-1a, 64 bits: stored, so it never changes.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension OutputPlan {
    /// What the output's rows are committed with.
    public var target: TargetID {
        if case .kafka(let options) = connector {
            return TargetIdentity.kafka(bootstrapServers: options.bootstrapServers)
        }
        return TargetIdentity.output(outputID)
    }
}
