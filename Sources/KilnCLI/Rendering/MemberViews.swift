/// The same of several members, one after the other.
struct MemberViews<View: Renderable>: Renderable {
    private let views: [View]

    struct Payload: Encodable {
        let members: [View.Payload]
    }

    init(_ views: [View]) { self.views = views }

    var payload: Payload { Payload(members: views.map(\.payload)) }

    var human: HumanView {
        .lines(
            views.flatMap { view -> [String] in
                switch view.human {
                case .table(let table, let empty): table.rows.isEmpty ? [empty] : table.lines
                case .lines(let lines): lines
                case .text(let text): [text]
                }
            }
        )
    }
}
