// The data path of one worker: a message into a node, its rows on to the next.

import Columns
import Connectors
import Contracts
import Environment
import Operators
import Planning
import Progress
import State

extension Worker {
    /// Hands a message to a node's producer slot; holds it back behind an unfinished barrier.
    func deliver(_ message: Message, to node: Int, slot: Int) throws(Failure) {
        let instance = nodes[node]
        if instance.alignment.isBlocked(slot) {
            return instance.alignment.hold(message, slot: slot)
        }
        switch message {
        case .batch(let batch): try push(batch, into: node, input: instance.slotInputs[slot])
        case .watermark(let watermark):
            if instance.minimum.note(watermark, from: slot), !instance.isByClock {
                try advance(node, to: instance.minimum.minimum)
            }
            try announce(node)
        case .clock(let time):
            guard instance.clock.note(.at(time), from: slot) else { return }
            if instance.isByClock { try advance(node, to: instance.clock.minimum) }
            instance.announcedClock = instance.clock.minimum
            try send(.clock(instance.clock.minimum), from: node)
        case .barrier(let number):
            if instance.alignment.arrived(number, slot: slot) {
                try pass(barrier: number, through: node)
            }
        }
    }

    private func push(_ batch: Batch, into node: Int, input: Int) throws(Failure) {
        let instance = nodes[node]
        switch instance.work {
        case .source: bug("a batch was pushed into a source")
        case .transform(let transform):
            var output = OperatorOutput()
            transform.push(batch, input: input, into: &output)
            try forward(&output, from: node)
        case .sink(let number, let writer):
            instance.counters.rowsIn += Int64(batch.rowCount)
            if refusals.satisfied.contains(plan.outputs[number].target) {
                instance.counters.filtered += Int64(batch.rowCount)
                return
            }
            let checked = plan.outputs[number].check(batch)
            instance.counters.filtered += Int64(checked.takenBack)
            try refuse(checked.errors, of: batch, at: number, instance)
            if checked.rows.rowCount == 0 { return }
            let refused = try writer.write(checked.rows)
            instance.counters.out += Int64(checked.rows.rowCount - refused.count)
            instance.tally.add(
                checked.rows, refused: refused, isHashed: plan.outputs[number].hasDigest)
            // Of a −1 whose +1 was refused there is nothing to take back.
            let letters = refused.filter { error in
                checked.rows.changes.map { $0[error.row] > 0 } ?? true
            }
            instance.counters.filtered += Int64(refused.count - letters.count)
            try refuse(letters, of: checked.rows, at: number, instance)
        }
    }

    private func refuse(
        _ errors: [RowError], of batch: Batch, at output: Int, _ instance: NodeInstance
    ) throws(Failure) {
        if errors.isEmpty { return }
        instance.counters.dead += Int64(errors.count)
        try refusals.rowsFailed(
            FailedRows(rows: batch.gather(errors.map { Int32($0.row) }), errors: errors),
            schema: plan.outputs[output].schema, output: output)
    }

    /// A record that was taken for good until its row was whole.
    private func refuse(
        _ record: IncompleteRow, _ error: RowError, at instance: NodeInstance
    ) throws(Failure) {
        guard case .source(let source)? = instance.node.inputs.first.map({ plan.nodes[$0].kind })
        else { bug("a record refused by node \(instance.node.index), which has no source") }
        let origin = plan.sources[source]
        var partition = String(record.partition)
        // A file is its partition (dialect.md §4.2).
        if case .files = origin.connector { partition = record.topic }
        try refusals.recordRefused(
            RefusedRecord(
                source: origin.name, topic: record.topic, partition: partition,
                offset: record.offset, timestamp: record.timestamp, key: record.key,
                value: record.value, error: error), source: origin)
    }

    /// Lets a node act on its minimum; what it makes leaves before the watermark that made it.
    func advance(_ node: Int, to minimum: Int64) throws(Failure) {
        guard case .transform(let transform) = nodes[node].work else { return }
        var hasMore = true
        while hasMore {
            var output = OperatorOutput()
            transform.advance(to: minimum, into: &output)
            hasMore = output.hasMore
            try forward(&output, from: node)
        }
    }

    /// Tells the consumers a node's watermark, if it is news.
    func announce(_ node: Int) throws(Failure) {
        let instance = nodes[node]
        let stepsOut = instance.isStateless && instance.minimum.isIdle
        let watermark: Watermark = stepsOut ? .idle : .at(instance.minimum.minimum)
        guard watermark != instance.announced else { return }
        instance.announced = watermark
        try send(.watermark(watermark), from: node)
    }

    /// Counts and sends on what a call of an operator gave.
    func forward(_ output: inout OperatorOutput, from node: Int) throws(Failure) {
        if let failure = output.failure { throw failure }
        let instance = nodes[node]
        instance.counters += output.counters
        for late in output.late { try refusals.rowsLate(late, node: instance.node) }
        for failed in output.failed {
            let input = failed.areResults ? nil : instance.node.inputs.first
            try refusals.rowsFailed(
                failed, schema: input.map { plan.nodes[$0].schema } ?? instance.node.schema,
                node: instance.node.index)
        }
        for refused in output.refused { try refuse(refused.record, refused.error, at: instance) }
        for batch in output.batches { try send(.batch(batch), from: node) }
    }

    /// Sends a message to all consumers of a node.
    func send(_ message: Message, from node: Int) throws(Failure) {
        for edge in nodes[node].edges {
            switch edge.route {
            case .local(let slot): try deliver(message, to: edge.consumer, slot: slot)
            case .exchange(let columns, let channels):
                guard case .batch(let batch) = message else {
                    for channel in channels { channel.send(message) }
                    continue
                }
                exchange(batch, by: columns, over: channels)
            }
        }
    }

    /// Sends each row to the worker that owns its key's group.
    private func exchange(_ batch: Batch, by columns: [Int], over channels: [Channel]) {
        let hashes = KeyHash.hashes(columns.map { batch.columns[$0] }, rowCount: batch.rowCount)
        var rows: [[Int32]] = Array(repeating: [], count: channels.count)
        for row in 0..<batch.rowCount {
            let group = KeyGroups.group(ofHash: hashes[row])
            rows[KeyGroups.worker(ofGroup: group, workers: channels.count)].append(Int32(row))
        }
        for (worker, rows) in rows.enumerated() where !rows.isEmpty {
            channels[worker].send(
                .batch(rows.count == batch.rowCount ? batch : batch.gather(rows)))
        }
    }
}
