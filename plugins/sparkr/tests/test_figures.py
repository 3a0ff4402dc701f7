"""Whatever draws becomes PNG, and what only sounds like drawing does not."""

import base64
import struct

import worker_driver


def size(png):
    data = base64.b64decode(png, validate=True)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


def drawn(r, code):
    """The images that code shows, the result's last."""
    statement = r.start(code)
    result = r.wait(statement)
    assert result.outcome == worker_driver.OK, result
    shown = [bundle["image/png"] for bundle in r.displays.get(statement, [])]
    return shown + ([result.bundle["image/png"]] if "image/png" in result.bundle else [])


def test_plot_becomes_an_image(r):
    bundle = r.ok("plot(1:10); 5")
    assert size(bundle["image/png"]) == (672, 672)
    assert bundle["text/plain"] == "[1] 5"


def test_any_way_to_draw_is_captured(r):
    for code in ("hist(c(1, 2, 2))", "curve(sin, 0, 1)", "image(matrix(1:4, 2))",
                 "grid::grid.newpage(); grid::grid.rect()", "draw <- function() barplot(1:3); draw()",
                 "dev.new(); plot(1)", "plot(1); dev.off()"):
        assert len(drawn(r, code)) == 1, code


def test_several_plots_come_in_order(r):
    images = drawn(r, "plot(1); plot(1:2); invisible(barplot(1:3))")
    assert len(images) == 3 and len(set(images)) == 3
    assert images[0] == drawn(r, "plot(1)")[0]


def test_panels_and_added_lines_are_one_page(r):
    assert len(drawn(r, "par(mfrow = c(1, 2)); plot(1); plot(2)")) == 1
    assert len(drawn(r, "plot(1:10); lines(10:1); text(5, 5, 'héllo')")) == 1


def test_drawn_text_is_visible(r):
    blank, written = drawn(r, "plot.new(); plot.new(); text(0.5, 0.5, 'Wörter', cex = 5)")
    assert len(written) > len(blank)


def test_size_is_asked_for_as_in_jupyter(r):
    r.ok("options(repr.plot.width = 4, repr.plot.height = 3, repr.plot.res = 50)")
    assert size(drawn(r, "plot(1)")[0]) == (200, 150)
    r.ok("options(repr.plot.width = NULL, repr.plot.height = NULL, repr.plot.res = NULL)")


def test_names_that_sound_like_plots_keep_their_values(r):
    assert r.text("history <- 5; history") == "[1] 5"
    assert r.text("lines <- c('plot', 'hist'); lines[2]") == '[1] "hist"'


def test_files_that_the_user_draws_to_are_the_users(r, tmp_path):
    code = "png('%s'); plot(1); invisible(dev.off())" % (tmp_path / "own.png")
    assert r.ok(code) == {"text/plain": ""}
    assert (tmp_path / "own.png").stat().st_size > 1000
    assert drawn(r, "pdf('%s'); plot(1)" % (tmp_path / "own.pdf")) == []
    assert r.text("names(dev.list())") == '[1] "pdf"', "it stays open"
    r.ok("invisible(dev.off())")
    assert (tmp_path / "own.pdf").stat().st_size > 1000


def test_plots_before_an_error_are_shown_all_the_same(r):
    statement = r.start("plot(1); stop('later')")
    assert r.wait(statement).outcome == worker_driver.ERROR
    assert len(r.displays[statement]) == 1
    assert drawn(r, "1") == []


def test_matplot_shows_the_current_figure(start):
    worker = start()
    error = worker.error("%matplot")
    assert error["ename"] == "MagicError" and "nothing has been drawn" in error["evalue"]
    made = drawn(worker, "plot(1:10)")
    assert worker.ok("%matplot") == {"image/png": made[0]}, "that of the statement before"
    assert worker.ok("plot(1:10)\n%matplot") == {"image/png": made[0]}
    assert drawn(worker, "%matplot plot(1:10)") == made
    assert set(worker.ok("p <- structure(list(), class = 'p'); print.p <- function(x, ...) plot(3)\n%matplot p")) == {
        "image/png"}, "a value that draws when it is printed, such as a ggplot"
    assert "object 'plt' not found" in worker.error("%matplot plt")["evalue"]
