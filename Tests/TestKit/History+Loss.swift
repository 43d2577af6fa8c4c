// Source logs that lose records: cut by retention, or made anew.

import Contracts
import Progress

extension History {
    /// Between two processes; a copy would read another log than the original did.
    func perhapsLose(_ random: inout SeededRandom) throws {
        let isDue = random.isOneIn(4)
        guard isDue, copy == nil, !hadLiveCopy, !cuts.hazards.contains(.loss) else { return }
        let source = random.pick(topology.readSources)
        let name = RandomTopology.sourceName(source)
        let topic = topics[name].required("a topic")
        let partition = random.below(topic.partitions.count)
        let stored = try directory.offsets().first {
            $0.source == name && $0.partition == String(partition)
        }
        let atEnd = topology.onOffsetLost == "latest" && stored != nil
        let next = stored.map { Int($0.next) } ?? topic.partitions[partition].start
        let visible = topic.partitions[partition].visible
        if random.isOneIn(2) {
            let low = random.below(visible + 1)
            hasCut = true
            topic.cut(partition, to: low, readTo: next, goesOnAtEnd: atEnd)
            guard low > next, stored != nil else { return }
            result.features.insert(.lostOffsets)
        } else {
            // What was read before a position without a fingerprint cannot be told apart.
            guard stored?.fingerprint != nil || next == 0 else { return }
            let records = topology.sources[source].redrawn(
                partition, &random, topology.columns, count: limits.records)
            topic.replace(
                partition, with: records, readTo: next, goesOnAtEnd: atEnd && next > 0)
            guard next > 0 else { return }
            result.features.insert(.logMadeAnew)
        }
        hadLoss = true
        world.note("loss of \(name)/\(partition)")
    }
}
