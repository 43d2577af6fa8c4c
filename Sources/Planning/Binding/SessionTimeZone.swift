// `SET time_zone`: what depends on it says so in the expression (PostgreSQL 15, "Time Zones").

import Contracts
import Kernels
import Types

extension StatementSettings {
    /// nil: UTC, by which everything counts anyway.
    var zone: SessionZone? { timeZone.flatMap(SessionZone.init) }
}

extension Expression {
    /// The expression by the clock of the session's zone. What is so already stays.
    func inZone(of settings: StatementSettings) -> Expression {
        guard let zone = settings.zone else { return self }
        return rewritten { part in
            switch part {
            case .cast(let inner, let type, let place):
                return inner.cast(to: type, in: zone, place)
            case .call(let call):
                if let function = zone.version(of: call.function) {
                    return .call(
                        Call(function, call.arguments, type: call.type, place: call.place))
                }
                guard Expression.writesTexts.contains(call.function.name) else { return part }
                let texts = call.arguments.map { $0.asText(in: zone, call.place) }
                return .call(Call(call.function, texts, type: call.type, place: call.place))
            default: return part
            }
        }
    }

    /// They write arguments of any type as text.
    private static let writesTexts: Set<String> = ["concat", "concat_ws", "array_to_string"]

    private func cast(
        to type: LogicalType, in zone: SessionZone, _ place: SourcePlace
    ) -> Expression {
        guard let function = zone.cast(from: self.type, to: type) else {
            return .cast(self, to: type, place: place)
        }
        return .call(Call(function, [self], type: type, place: place))
    }

    /// An argument that holds times as text, or as an array of texts; any other as it is.
    private func asText(in zone: SessionZone, _ place: SourcePlace) -> Expression {
        var wanted = LogicalType.text
        if case .array = type { wanted = .array(.text) }
        guard let function = zone.cast(from: type, to: wanted) else { return self }
        return .call(Call(function, [self], type: wanted, place: place))
    }
}
