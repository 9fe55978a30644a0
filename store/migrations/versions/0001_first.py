"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table of the first version."""
    op.create_table('core_agency',
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('name_en', sa.Text(), server_default='', nullable=False),
    sa.Column('parent_code', sa.Text(), server_default='', nullable=False),
    sa.Column('kind', sa.Text(), server_default='', nullable=False),
    sa.Column('area_code', sa.Text(), server_default='', nullable=False),
    sa.Column('valid_from_on', sa.Integer(), nullable=True),
    sa.Column('valid_to_on', sa.Integer(), nullable=True),
    sa.Column('successor_code', sa.Text(), server_default='', nullable=False),
    sa.Column('origin', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('code')
    )
    op.create_table('core_agency_alias',
    sa.Column('folded', sa.Text(), nullable=False),
    sa.Column('agency_code', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('folded')
    )
    op.create_table('core_area',
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('valid_from_on', sa.Integer(), nullable=False),
    sa.Column('valid_to_on', sa.Integer(), nullable=True),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('full_name', sa.Text(), server_default='', nullable=False),
    sa.Column('name_en', sa.Text(), server_default='', nullable=False),
    sa.Column('level', sa.Text(), server_default='', nullable=False),
    sa.Column('parent_code', sa.Text(), server_default='', nullable=False),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('geometry', sa.Text(), nullable=True),
    sa.Column('feed', sa.Text(), server_default='', nullable=False),
    sa.Column('origin', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('code', 'valid_from_on')
    )
    op.create_table('core_area_succession',
    sa.Column('predecessor_code', sa.Text(), nullable=False),
    sa.Column('successor_code', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('predecessor_code', 'successor_code')
    )
    op.create_table('core_category',
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('group_name', sa.Text(), server_default='', nullable=False),
    sa.Column('origin', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('code')
    )
    op.create_table('core_datastream',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('station_id', sa.Text(), server_default='', nullable=False),
    sa.Column('property', sa.Text(), server_default='', nullable=False),
    sa.Column('measure_unit', sa.Text(), server_default='', nullable=False),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('cadence_s', sa.Integer(), nullable=True),
    sa.Column('area_code', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('feed', 'source_id')
    )
    op.create_index('ix_datastream_area', 'core_datastream', ['area_code', 'property'], unique=False)
    op.create_table('core_domain',
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('origin', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('code')
    )
    op.create_table('core_dossier',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('agency_code', sa.Text(), server_default='', nullable=False),
    sa.Column('procedure_code', sa.Text(), server_default='', nullable=False),
    sa.Column('domain_code', sa.Text(), server_default='', nullable=False),
    sa.Column('channel', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('filed_at', sa.BigInteger(), nullable=True),
    sa.Column('received_at', sa.BigInteger(), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=True),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.Column('handed_at', sa.BigInteger(), nullable=True),
    sa.Column('refused_at', sa.BigInteger(), nullable=True),
    sa.Column('stopped_at', sa.BigInteger(), nullable=True),
    sa.Column('verdict_at', sa.BigInteger(), nullable=True),
    sa.Column('supplement_count', sa.Integer(), server_default='0', nullable=False),
    sa.Column('is_digitised', sa.Boolean(), nullable=True),
    sa.Column('is_paid_online', sa.Boolean(), nullable=True),
    sa.Column('alias', sa.Text(), server_default='', nullable=False),
    sa.Column('filed_on', sa.Integer(), nullable=True),
    sa.Column('received_on', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Integer(), nullable=True),
    sa.Column('finished_on', sa.Integer(), nullable=True),
    sa.Column('verdict_on', sa.Integer(), nullable=True),
    sa.Column('passed_on', sa.Integer(), nullable=True),
    sa.Column('passed_day_on', sa.Integer(), nullable=True),
    sa.Column('standing', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('first_landed_at', sa.BigInteger(), nullable=True),
    sa.Column('landed_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('feed', 'source_id'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_dossier_finished', 'core_dossier', ['finished_on', 'agency_code', 'domain_code', 'standing', 'finished_at', 'due_at', 'due_on', 'status', 'supplement_count'], unique=False)
    op.create_index('ix_dossier_open', 'core_dossier', ['due_at'], unique=False, sqlite_where=sa.text('finished_on IS NULL AND standing = 1'), postgresql_where=sa.text('finished_on IS NULL AND standing = 1'))
    op.create_index('ix_dossier_outside', 'core_dossier', ['filed_on', 'agency_code', 'domain_code'], unique=False, sqlite_where=sa.text('standing > 1 OR status = 0'), postgresql_where=sa.text('standing > 1 OR status = 0'))
    op.create_index('ix_dossier_passed', 'core_dossier', ['passed_on', 'agency_code', 'domain_code', 'standing', 'due_at', 'verdict_at'], unique=False)
    op.create_index('ix_dossier_passed_day', 'core_dossier', ['passed_day_on', 'agency_code', 'domain_code', 'standing', 'due_on', 'verdict_on'], unique=False)
    op.create_index('ix_dossier_received', 'core_dossier', ['received_on', 'agency_code', 'domain_code', 'standing', 'channel', 'due_at'], unique=False)
    op.create_index('ix_dossier_running', 'core_dossier', ['due_at'], unique=False, sqlite_where=sa.text('verdict_at IS NULL AND standing = 1'), postgresql_where=sa.text('verdict_at IS NULL AND standing = 1'))
    op.create_table('core_dossier_step',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('department', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.SmallInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('feed', 'source_id', 'at', 'name'),
    sqlite_with_rowid=False
    )
    op.create_table('core_dossier_stop',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('stopped_at', sa.BigInteger(), nullable=False),
    sa.Column('resumed_at', sa.BigInteger(), nullable=True),
    sa.Column('stopped_on', sa.Integer(), nullable=True),
    sa.Column('resumed_on', sa.Integer(), nullable=True),
    sa.Column('agency_code', sa.Text(), server_default='', nullable=False),
    sa.Column('domain_code', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('feed', 'source_id', 'stopped_at'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_stop_resumed', 'core_dossier_stop', ['resumed_on', 'agency_code', 'domain_code'], unique=False)
    op.create_index('ix_stop_stopped', 'core_dossier_stop', ['stopped_on', 'agency_code', 'domain_code'], unique=False)
    op.create_table('core_dossier_version',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('landed_at', sa.BigInteger(), nullable=False),
    sa.Column('agency_code', sa.Text(), server_default='', nullable=False),
    sa.Column('procedure_code', sa.Text(), server_default='', nullable=False),
    sa.Column('domain_code', sa.Text(), server_default='', nullable=False),
    sa.Column('channel', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('filed_at', sa.BigInteger(), nullable=True),
    sa.Column('received_at', sa.BigInteger(), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=True),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.Column('handed_at', sa.BigInteger(), nullable=True),
    sa.Column('refused_at', sa.BigInteger(), nullable=True),
    sa.Column('stopped_at', sa.BigInteger(), nullable=True),
    sa.Column('verdict_at', sa.BigInteger(), nullable=True),
    sa.Column('supplement_count', sa.Integer(), server_default='0', nullable=False),
    sa.Column('is_digitised', sa.Boolean(), nullable=True),
    sa.Column('is_paid_online', sa.Boolean(), nullable=True),
    sa.Column('alias', sa.Text(), server_default='', nullable=False),
    sa.Column('filed_on', sa.Integer(), nullable=True),
    sa.Column('received_on', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Integer(), nullable=True),
    sa.Column('finished_on', sa.Integer(), nullable=True),
    sa.Column('verdict_on', sa.Integer(), nullable=True),
    sa.Column('passed_on', sa.Integer(), nullable=True),
    sa.Column('passed_day_on', sa.Integer(), nullable=True),
    sa.Column('standing', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('feed', 'source_id', 'landed_at', 'version', 'hash')
    )
    op.create_table('core_latest',
    sa.Column('datastream_id', sa.Integer(), nullable=False),
    sa.Column('observed_at', sa.BigInteger(), nullable=False),
    sa.Column('value', sa.Float(), nullable=False),
    sa.Column('landed_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('datastream_id')
    )
    op.create_table('core_procedure',
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('domain_code', sa.Text(), server_default='', nullable=False),
    sa.Column('limit_days', sa.Float(), nullable=True),
    sa.Column('level', sa.Text(), server_default='', nullable=False),
    sa.Column('origin', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('code')
    )
    op.create_table('core_reading',
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('datastream_id', sa.Integer(), nullable=False),
    sa.Column('observed_at', sa.BigInteger(), nullable=False),
    sa.Column('value', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('hour', 'datastream_id', 'observed_at'),
    postgresql_partition_by='RANGE (hour)',
    sqlite_with_rowid=False
    )
    op.create_table('core_report',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('category_code', sa.Text(), server_default='', nullable=False),
    sa.Column('agency_code', sa.Text(), server_default='', nullable=False),
    sa.Column('area_code', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.Text(), server_default='', nullable=False),
    sa.Column('is_open', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('channel', sa.Text(), server_default='', nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=True),
    sa.Column('updated_at', sa.BigInteger(), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('resolution', sa.Text(), nullable=True),
    sa.Column('is_duplicate', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('is_urgent', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('received_on', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Integer(), nullable=True),
    sa.Column('closed_on', sa.Integer(), nullable=True),
    sa.Column('passed_on', sa.Integer(), nullable=True),
    sa.Column('is_ended_before_start', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('first_landed_at', sa.BigInteger(), nullable=True),
    sa.Column('landed_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('feed', 'source_id'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_report_closed', 'core_report', ['closed_on', 'agency_code', 'area_code', 'category_code'], unique=False)
    op.create_index('ix_report_open', 'core_report', ['due_at'], unique=False, sqlite_where=sa.text('closed_on IS NULL'), postgresql_where=sa.text('closed_on IS NULL'))
    op.create_index('ix_report_passed', 'core_report', ['passed_on', 'agency_code', 'area_code', 'category_code'], unique=False)
    op.create_index('ix_report_received', 'core_report', ['received_on', 'agency_code', 'area_code', 'category_code'], unique=False)
    op.create_table('core_report_version',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('landed_at', sa.BigInteger(), nullable=False),
    sa.Column('category_code', sa.Text(), server_default='', nullable=False),
    sa.Column('agency_code', sa.Text(), server_default='', nullable=False),
    sa.Column('area_code', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.Text(), server_default='', nullable=False),
    sa.Column('is_open', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('channel', sa.Text(), server_default='', nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=True),
    sa.Column('updated_at', sa.BigInteger(), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('resolution', sa.Text(), nullable=True),
    sa.Column('is_duplicate', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('is_urgent', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('received_on', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Integer(), nullable=True),
    sa.Column('closed_on', sa.Integer(), nullable=True),
    sa.Column('passed_on', sa.Integer(), nullable=True),
    sa.Column('is_ended_before_start', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('feed', 'source_id', 'landed_at', 'version', 'hash')
    )
    op.create_table('core_station',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('kind', sa.Text(), server_default='', nullable=False),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('area_code', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('feed', 'source_id')
    )
    op.create_table('ops_clock',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('ops_dirty',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('bucket', sa.Integer(), nullable=False),
    sa.Column('k1', sa.Text(), server_default='', nullable=False),
    sa.Column('k2', sa.Text(), server_default='', nullable=False),
    sa.Column('k3', sa.Text(), server_default='', nullable=False),
    sa.Column('ref', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('seq')
    )
    op.create_index('ix_dirty_topic', 'ops_dirty', ['topic', 'seq'], unique=False)
    op.create_table('ops_feed',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), server_default='', nullable=False),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.Column('attempted_at', sa.BigInteger(), nullable=True),
    sa.Column('loaded_at', sa.BigInteger(), nullable=True),
    sa.Column('newest_at', sa.BigInteger(), nullable=True),
    sa.Column('error', sa.Text(), server_default='', nullable=False),
    sa.Column('error_at', sa.BigInteger(), nullable=True),
    sa.Column('landed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('changed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('rejected', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('sequence', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('feed')
    )
    op.create_table('ops_feed_key',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('key_hash', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('revoked_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key_hash')
    )
    op.create_table('ops_feed_session',
    sa.Column('session_hash', sa.Text(), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('session_hash')
    )
    op.create_table('ops_load',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('items', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('landed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('changed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('rejected', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('error', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_load_feed', 'ops_load', ['feed', 'id'], unique=False)
    op.create_table('ops_reject',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), server_default='', nullable=False),
    sa.Column('field', sa.Text(), server_default='', nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('value', sa.Text(), server_default='', nullable=False),
    sa.Column('payload', sa.Text(), server_default='', nullable=False),
    sa.Column('first_at', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.Column('times', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('resolved_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('feed', 'digest')
    )
    op.create_index('ix_reject_feed_reason', 'ops_reject', ['feed', 'reason'], unique=False)
    op.create_table('ops_revision',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('revision', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('bumped_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('topic')
    )
    op.create_table('rollup_dossier_day',
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('agency_code', sa.Text(), nullable=False),
    sa.Column('domain_code', sa.Text(), nullable=False),
    sa.Column('received', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('received_online', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('received_postal', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('no_due_in', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('finished', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('finished_early', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('finished_on_time', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('finished_late', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('finished_late_day', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('finished_no_due', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('withdrawn', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('no_due_out', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('due_passed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('due_passed_day', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('overdue_ended', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('overdue_ended_day', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('stopped', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('resumed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('second_supplement_late', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('ended_before_start_in', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('ended_before_start_out', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('new', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('refused', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('unmapped', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('day', 'agency_code', 'domain_code'),
    sqlite_with_rowid=False
    )
    op.create_table('rollup_reading_day',
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('datastream_id', sa.Integer(), nullable=False),
    sa.Column('n', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('total', sa.Float(), nullable=False),
    sa.Column('low', sa.Float(), nullable=False),
    sa.Column('high', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'datastream_id'),
    sqlite_with_rowid=False
    )
    op.create_table('rollup_reading_hour',
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('datastream_id', sa.Integer(), nullable=False),
    sa.Column('n', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('total', sa.Float(), nullable=False),
    sa.Column('low', sa.Float(), nullable=False),
    sa.Column('high', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('hour', 'datastream_id'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_reading_hour_stream', 'rollup_reading_hour', ['datastream_id', 'hour'], unique=False)
    op.create_table('rollup_reading_hour_area',
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('area_code', sa.Text(), nullable=False),
    sa.Column('property', sa.Text(), nullable=False),
    sa.Column('n', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('total', sa.Float(), nullable=False),
    sa.Column('low', sa.Float(), nullable=False),
    sa.Column('high', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('hour', 'area_code', 'property'),
    sqlite_with_rowid=False
    )
    op.create_table('rollup_report_day',
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('agency_code', sa.Text(), nullable=False),
    sa.Column('area_code', sa.Text(), nullable=False),
    sa.Column('category_code', sa.Text(), nullable=False),
    sa.Column('received', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('no_due_in', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('no_due_out', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('urgent', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('duplicate', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('closed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('closed_on_time', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('closed_late', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('closed_no_due', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('due_passed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('overdue_ended', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('ended_before_start_in', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('ended_before_start_out', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('day', 'agency_code', 'area_code', 'category_code'),
    sqlite_with_rowid=False
    )
