// CREATE FUNCTION … LANGUAGE SQL: one expression, whose text is parsed again.

import Contracts

extension TreeBuilder {
    func createFunction(_ node: GrammarNode, at start: Int) throws(Failure) -> CreateFunction {
        let parts = nameParts(node.children(Field.CreateFunction.name))
        guard !node.flag(Field.CreateFunction.isProcedure) else {
            throw unsupported("CREATE PROCEDURE", at: start)
        }
        guard parts.count == 1, let text = parts.first else {
            throw unsupported(
                "a function's schema", at: start,
                hint: "a topology has no schemas: write the name alone")
        }
        guard let result = node.child(Field.CreateFunction.result) else {
            throw unsupported("a function without RETURNS", at: start)
        }
        let name = firstName(text, from: start)
        var parameters: [(name: Name?, type: TypeName)] = []
        for item in node.children(Field.CreateFunction.parameters) {
            guard let parameter = item.unwrapped(NodeKind.functionParameter) else { continue }
            parameters.append(try self.parameter(parameter, of: name))
        }
        return CreateFunction(
            name: name, parameters: parameters, result: try typeName(result, at: start),
            body: try functionBody(node, at: name.place.offset - origin.base))
    }

    private func parameter(
        _ node: GrammarNode, of function: Name
    ) throws(Failure) -> (name: Name?, type: TypeName) {
        let type = try typeName(
            node.child(Field.FunctionParameter.type), at: function.place.offset - origin.base)
        let offset = type.place.offset - origin.base
        guard
            [
                GrammarValue.FunctionParameterMode.input,
                GrammarValue.FunctionParameterMode.standard,
            ].contains(node.integer(Field.FunctionParameter.mode))
        else {
            throw unsupported(
                "OUT, INOUT, VARIADIC and RETURNS TABLE", at: offset,
                hint: "a function is one expression over its arguments")
        }
        guard node.child(Field.FunctionParameter.defaultValue) == nil else {
            throw unsupported("a default of a parameter", at: offset)
        }
        guard let text = node.text(Field.FunctionParameter.name) else { return (nil, type) }
        // The name stands right before the type.
        let before = tokens.index(at: offset) - 1
        return (name(text, at: tokens.offset(before) ?? offset), type)
    }

    private func functionBody(
        _ node: GrammarNode, at offset: Int
    ) throws(Failure) -> ExpressionSyntax {
        var language = "sql"
        var body: (text: String, offset: Int)?
        for item in node.children(Field.CreateFunction.options) {
            guard let option = item.unwrapped(NodeKind.definition) else { continue }
            let argument = option.child(Field.Definition.argument)
            let place = option.integer(Field.Definition.location)
            switch option.string(Field.Definition.name) {
            case "language":
                language =
                    argument?.unwrapped(NodeKind.string)?.string(Field.Value.value) ?? ""
            case "as":
                let items = argument?.unwrapped(NodeKind.list)?.children(Field.List.items) ?? []
                let text = items.first?.unwrapped(NodeKind.string)?.string(Field.Value.value)
                body = (text ?? "", place)
            case "volatility", "strict", "parallel", "cost", "leakproof": break
            case let other:
                throw unsupported("\(other.uppercased()) of a function", at: place)
            }
        }
        guard lowercased(language) == "sql" else {
            throw unsupported(
                "LANGUAGE \(language)", at: offset, hint: "write LANGUAGE SQL and one expression")
        }
        if let body { return try parsedBody(body.text, as: body.offset) }
        guard
            let returned = node.child(Field.CreateFunction.body)?
                .unwrapped(NodeKind.returnStatement)
        else {
            throw unsupported(
                "a function with BEGIN ATOMIC or without a body", at: offset,
                hint: "write RETURN expression, or AS $$ SELECT expression $$")
        }
        return try expression(returned.child(Field.Return.value), at: offset)
    }

    /// `text` is the string behind the AS at `keyword`.
    private func parsedBody(
        _ text: String, as keyword: Int
    ) throws(Failure) -> ExpressionSyntax {
        let literal = tokens.index(at: keyword) + 1
        let start = tokens.offset(literal) ?? keyword
        let inner = Origin(
            file: origin.file, base: origin.base + start, isExact: false)
        let written = tokens.text(literal)
        var exact: Origin?
        if origin.isExact, let range = written.range(ofBody: text) {
            exact = Origin(file: origin.file, base: origin.base + start + range, isExact: true)
        }
        let statements = try parse(Array(text.utf8), origin: exact ?? inner)
        if statements.count == 1, case .select(let query) = statements[0].kind,
            query.commonTables.isEmpty, query.orderBy.isEmpty, query.limit == nil,
            query.offset == nil, case .select(let select) = query.body, select.items.count == 1,
            select.from.isEmpty, select.whereCondition == nil, select.groupBy.isEmpty,
            select.having == nil, case .none = select.distinct, select.refused.isEmpty
        {
            return select.items[0].expression
        }
        throw Failure(
            .invalid, "sql.function_body", "a function's body is one SELECT of one expression",
            hint: "write AS $$ SELECT expression $$, or RETURN expression",
            place: origin.place(start))
    }
}

extension String {
    /// The offset of `body` in a literal that holds it unescaped: `'…'` or `$tag$…$tag$`.
    fileprivate func range(ofBody body: String) -> Int? {
        let extra = utf8.count - body.utf8.count
        guard extra >= 2, extra % 2 == 0 else { return nil }
        let start = extra / 2
        let inner = utf8.dropFirst(start).dropLast(start)
        return inner.elementsEqual(body.utf8) ? start : nil
    }
}
