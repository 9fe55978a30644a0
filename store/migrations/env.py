"""Alembic's entry: runs the revisions beside this file on the connection that store.migrate hands over."""

from alembic import context

from store.schema import metadata


def run() -> None:
    """Run the asked migrations on the given connection."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


run()
