"""Puts into the page's lists what is no text."""


def __install__(ctx):
    ctx.app.index_headers.append(object())
    ctx.app.index_headers.append("<meta name=lone content='\ud800'>")
    ctx.app.index_footers.append(None)
    ctx.app.import_maps["rubbish"] = object()
    ctx.app.ui_extensions.append(object())
