/* Cells of the grids: what components/desk_grid.py told of a cell becomes elements again; links stay inside the desk. Enter on a row's
   cell opens what the cell, else the row, leads to. */
(function () {
  "use strict";
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

  function make(told, key) {
    if (!Array.isArray(told)) { return told; }
    const attributes = Object.assign({ key: key }, told[1]);
    const children = told[2].map(make);
    if (told[0] === "link") {
      return React.createElement(window.dash_core_components.Link, Object.assign(attributes, { children: children }));
    }
    return React.createElement(told[0], attributes, children);
  }

  cells.DeskCell = function (props) { return make(props.value === undefined ? "" : props.value, "cell"); };

  // the rows are the server's answer in its order already: a heading pressed or its filter set goes into the URL and moves or hides none
  functions.deskSame = function () { return 0; };
  functions.deskGridShown = function (params) { params.api.setGridOption("alwaysPassFilter", function () { return true; }); };

  functions.deskGridKey = function (params) {
    if (!params.event || params.event.key !== "Enter") { return; }
    const cell = params.event.target.closest(".ag-cell"), row = cell && cell.closest(".ag-row");
    const link = (cell && cell.querySelector("a[href]")) || (row && row.querySelector("a[href]"));
    if (link) { link.click(); }
  };
})();
