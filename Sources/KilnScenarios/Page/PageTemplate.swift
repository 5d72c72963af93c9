/// The page's text, with gaps that are filled with escaped texts only.
enum PageTemplate {
    /// How every page begins, up to its body: with its title `head` and its `style`; one with `seconds` asks for itself again after
    /// as many.
    static let opening = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        {{#seconds}}<meta http-equiv="refresh" content="{{.}}">{{/seconds}}
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>{{head}}</title>
        <style>
        {{style}}
        </style>
        </head>
        <body>

        """

    static let text =
        opening + """
            <svg class="patterns" width="0" height="0" aria-hidden="true"><defs>
            <pattern id="stripes" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="7" height="7" class="ground"/><rect width="4" height="7" class="stripe"/></pattern>
            </defs></svg>
            {{#hasSentences}}<nav><h1>{{head}}</h1><ul>
            {{#sentences}}<li><a href="#{{link}}">{{linkMark}} {{linkText}}</a></li>
            {{/sentences}}</ul></nav>{{/hasSentences}}
            {{#sections}}
            <section id="{{anchor}}" class="part {{tone}}">
            <header>
            <p class="title">{{title}} <small>{{subtitle}}</small></p>
            <h2 class="verdict"><span class="mark">{{mark}}</span> {{sentence}}</h2>
            <dl class="tiles">
            {{#tiles}}<div class="tile {{id}} {{tone}}"><dt>{{label}}</dt><dd>{{value}}</dd></div>
            {{/tiles}}</dl>
            </header>
            {{#pictures}}<div class="picture">
            <h3>What happened when</h3>
            <div class="lane axis"><div></div><div class="ticks">{{#ticks}}<span>{{.}}</span>{{/ticks}}</div></div>
            {{#lanes}}<div class="lane"><div class="label">{{label}} <small>{{remark}}</small></div>
            <div class="row"><svg viewBox="0 0 1000 30" preserveAspectRatio="none" role="img" aria-label="{{label}}">
            {{#bars}}<rect x="{{x}}" y="{{y}}" width="{{wide}}" height="{{high}}" class="{{shade}}"><title>{{tip}}</title></rect>
            {{/bars}}{{#curves}}<polyline points="{{points}}"/>
            {{/curves}}</svg>
            <ul class="words">{{#words}}<li>{{.}}</li>{{/words}}</ul></div></div>
            {{/lanes}}
            <ul class="legend">{{#legend}}<li>{{.}}</li>{{/legend}}</ul>
            </div>{{/pictures}}
            {{#blocks}}<div class="block {{blockTone}}"><h3>{{head}}</h3><ul>{{#lines}}<li>{{.}}</li>{{/lines}}</ul></div>
            {{/blocks}}
            <div class="list"><h3>{{listHead}}</h3><ol>
            {{#rows}}<li class="step {{rowTone}} depth-{{depth}}"><span class="mark">{{rowMark}}</span>
            <span class="name"><b>{{number}}</b> {{name}}</span><span class="time">{{time}}</span>
            <span class="more">{{place}} <span class="detail">{{detail}}</span></span></li>
            {{/rows}}</ol></div>
            {{#consoles}}<div class="console"><h3>{{machine}}</h3><pre>{{said}}</pre></div>
            {{/consoles}}
            <ul class="notes">{{#notes}}<li>{{.}}</li>{{/notes}}</ul>
            </section>
            {{/sections}}
            </body>
            </html>

            """
}
