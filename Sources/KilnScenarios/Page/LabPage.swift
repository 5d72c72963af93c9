import KilnModel
import Mustache

/// A page that shows a lab at one moment, and asks for itself again: it is whole in one file, and needs no script.
///
/// Nothing that a guest says becomes markup: the template escapes every text.
public struct LabPage: Sendable {
    /// A server, in words.
    public struct Server: Sendable {
        let name, generation, image, state, ports, steps, answers: String
        let tone: String
        let mark: String

        /// A server.
        ///
        /// - Parameters:
        ///   - steps: of an operation that has not ended; empty where there is none.
        ///   - serves: whether it runs and answers.
        public init(
            name: String,
            generation: String,
            image: String,
            state: String,
            ports: String,
            steps: String,
            answers: String,
            serves: Bool
        ) {
            (self.name, self.generation, self.image) = (PageText.line(name), generation, PageText.line(image))
            (self.state, self.ports) = (PageText.line(state), PageText.line(ports))
            (self.steps, self.answers) = (PageText.line(steps), PageText.line(answers))
            tone = !steps.isEmpty ? "open" : serves ? "good" : "bad"
            mark = !steps.isEmpty ? "…" : serves ? "✔" : "✘"
        }
    }

    private struct Content {
        let head: String
        let seconds: Int
        let style = PageStyle.text
        let problem: String?
        let run: [String]
        let servers: [Server]
        let isEmpty: Bool
    }

    private let content: Content

    /// A lab with its servers.
    ///
    /// - Parameters:
    ///   - pause: after which the page asks for itself again; at least a second.
    ///   - problem: why the lab can't be seen at present, and the servers are as they were seen last; nothing where it can.
    ///   - run: lines on the run of a scenario that goes on there.
    public init(lab: Name, pause: Duration, problem: String?, run: [String], servers: [Server]) {
        content = Content(
            head: lab.text,
            seconds: max(1, Int(pause / .seconds(1))),
            problem: problem.map { PageText.line($0, 300) },
            run: run.map { PageText.line($0) },
            servers: servers,
            isEmpty: servers.isEmpty
        )
    }

    /// The page.
    ///
    /// - Throws: what the template's parser throws, which for this template is nothing.
    public func html() throws -> String { try MustacheTemplate(string: LabPage.template).render(content) }

    private static let template =
        PageTemplate.opening + """
            <h1>{{head}}</h1>
            {{#problem}}<section class="part bad"><h2 class="verdict"><span class="mark">✘</span> {{.}}</h2></section>{{/problem}}
            <ul class="run">{{#run}}<li>{{.}}</li>{{/run}}</ul>
            {{#isEmpty}}<p>no servers</p>{{/isEmpty}}
            {{#servers}}
            <section class="part {{tone}}">
            <h2 class="verdict"><span class="mark">{{mark}}</span> {{name}} <small>{{image}}</small></h2>
            <dl class="tiles">
            <div class="tile"><dt>generation</dt><dd>{{generation}}</dd></div>
            <div class="tile"><dt>state</dt><dd>{{state}}</dd></div>
            <div class="tile"><dt>answers</dt><dd>{{answers}}</dd></div>
            <div class="tile cause"><dt>ports</dt><dd>{{ports}}</dd></div>
            </dl>
            <p class="more">{{steps}}</p>
            </section>
            {{/servers}}
            </body>
            </html>

            """
}
