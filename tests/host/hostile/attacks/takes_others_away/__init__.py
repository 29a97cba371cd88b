"""Empties what all share, as it is installed and as it is loaded."""


def take(ctx):
    for shared in (ctx.app.tools, ctx.app.tool_definitions, ctx.app.tool_groups, ctx.app.all_providers):
        shared.clear()
    for shared in (ctx.app.import_maps, ctx.app.index_headers, ctx.app.index_footers, ctx.app.ui_extensions):
        shared.clear()
    ctx.app.aspect_ratios.clear()
    ctx.app.request_args.clear()


def __install__(ctx):
    take(ctx)


def __load__(ctx):
    take(ctx)
