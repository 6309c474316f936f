//! Generated from the migrated database: `UPDATE_SCHEMA=1 cargo test schema_is_what_the_database_says`. Do not edit.
//! A view's comment names its nullable columns, which PostgreSQL itself does not know.

diesel::table! {
    access_number (only_one) {
        only_one -> Bool,
        changes -> Int8,
    }
}

diesel::table! {
    account (id) {
        id -> Uuid,
        client_id -> Text,
        name -> Text,
        role -> Text,
        disabled -> Bool,
        demo -> Bool,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    account_city (account_id, city_id) {
        account_id -> Uuid,
        city_id -> Uuid,
    }
}

diesel::table! {
    account_secret (account_id, hash) {
        account_id -> Uuid,
        hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    activity (id) {
        id -> Uuid,
        kind -> Text,
        title -> Text,
        theme -> Nullable<Text>,
        city_id -> Nullable<Uuid>,
        starts_on -> Nullable<Text>,
        ends_on -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        partnership_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    activity_area (activity_id, area) {
        activity_id -> Uuid,
        area -> Text,
        scheme -> Text,
    }
}

diesel::table! {
    activity_initiative (activity_id, initiative_id) {
        activity_id -> Uuid,
        initiative_id -> Uuid,
    }
}

diesel::table! {
    activity_participant (activity_id, position) {
        activity_id -> Uuid,
        position -> Int2,
        city_id -> Nullable<Uuid>,
        organisation_id -> Nullable<Uuid>,
        role -> Text,
        headcount -> Nullable<Int4>,
    }
}

diesel::table! {
    activity_place (activity_id, position) {
        activity_id -> Uuid,
        position -> Int2,
        name -> Text,
        latitude -> Nullable<Float8>,
        longitude -> Nullable<Float8>,
    }
}

diesel::table! {
    agreement (id) {
        id -> Uuid,
        kind -> Text,
        title -> Text,
        initiative_id -> Nullable<Uuid>,
        status -> Text,
        signed_on -> Nullable<Text>,
        valid_until -> Nullable<Text>,
        document_id -> Nullable<Uuid>,
        visibility -> Text,
    }
}

diesel::table! {
    agreement_party (agreement_id, position) {
        agreement_id -> Uuid,
        position -> Int2,
        city_id -> Nullable<Uuid>,
        organisation_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    applicability (id) {
        id -> Uuid,
        pilot_id -> Uuid,
        origin_city_id -> Uuid,
        city_id -> Uuid,
        verdict -> Text,
        reason -> Nullable<Text>,
        reason_scheme -> Text,
        text -> Nullable<Text>,
        assessed_on -> Nullable<Text>,
        current -> Bool,
        visibility -> Text,
    }
}

diesel::table! {
    applicability_score (applicability_id, criterion) {
        applicability_id -> Uuid,
        criterion -> Text,
        scheme -> Text,
        score -> Int2,
    }
}

diesel::table! {
    change (id) {
        id -> Int8,
        record_id -> Uuid,
        version -> Int4,
        seq -> Nullable<Int8>,
        at -> Nullable<Timestamptz>,
        derived -> Bool,
        visibility -> Nullable<Text>,
        city_ids -> Nullable<Array<Uuid>>,
        visibility_before -> Nullable<Text>,
        city_ids_before -> Nullable<Array<Uuid>>,
    }
}

diesel::table! {
    change_number (only_one) {
        only_one -> Bool,
        seq -> Int8,
        at -> Timestamptz,
    }
}

diesel::table! {
    citation (record_id, position) {
        record_id -> Uuid,
        position -> Int2,
        document_id -> Uuid,
        locator -> Nullable<Text>,
        quote -> Nullable<Text>,
    }
}

diesel::table! {
    city (id) {
        id -> Uuid,
        code -> Nullable<Text>,
        name -> Text,
        country -> Text,
        latitude -> Float8,
        longitude -> Float8,
        population -> Nullable<Int8>,
        timezone -> Text,
        website -> Nullable<Text>,
    }
}

diesel::table! {
    compliance (id) {
        id -> Uuid,
        hosting_id -> Uuid,
        kind -> Text,
        status -> Text,
        decided_on -> Nullable<Text>,
        legal_basis -> Nullable<Text>,
        data_class -> Nullable<Text>,
        retention_days -> Nullable<Int4>,
        controller_id -> Nullable<Uuid>,
        document_id -> Nullable<Uuid>,
        text -> Nullable<Text>,
    }
}

diesel::table! {
    country (code) {
        code -> Text,
        name -> Text,
        eea -> Bool,
    }
}

diesel::table! {
    dimension (outcome_id, name) {
        outcome_id -> Uuid,
        name -> Text,
        partition -> Bool,
    }
}

diesel::table! {
    document (id) {
        id -> Uuid,
        title -> Text,
        city_id -> Nullable<Uuid>,
        url -> Nullable<Text>,
        sha256 -> Nullable<Text>,
        licence -> Nullable<Text>,
        published_on -> Nullable<Text>,
        visibility -> Text,
    }
}

diesel::table! {
    evaluation (id) {
        id -> Uuid,
        hosting_id -> Uuid,
        kind -> Text,
        evaluated_on -> Text,
        summary -> Text,
        decision -> Nullable<Text>,
        rationale -> Nullable<Text>,
        author_city_id -> Nullable<Uuid>,
        visibility -> Text,
    }
}

diesel::table! {
    evaluation_observation (evaluation_id, observation_id) {
        evaluation_id -> Uuid,
        observation_id -> Uuid,
    }
}

diesel::table! {
    evaluation_score (evaluation_id, criterion) {
        evaluation_id -> Uuid,
        criterion -> Text,
        score -> Nullable<Int2>,
        reason -> Text,
    }
}

diesel::table! {
    external_id (type_, source, value) {
        record_id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        source -> Text,
        value -> Text,
    }
}

diesel::table! {
    external_source (source) {
        source -> Text,
        city_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    hosting (id) {
        id -> Uuid,
        pilot_id -> Uuid,
        origin_city_id -> Uuid,
        host_city_id -> Uuid,
        kind -> Text,
        proposed_by_city_id -> Uuid,
        status -> Text,
        suspended_from -> Nullable<Text>,
        no_outcome_reason -> Nullable<Text>,
        planned_start -> Nullable<Text>,
        planned_end -> Nullable<Text>,
        actual_start -> Nullable<Text>,
        actual_end -> Nullable<Text>,
        lead_organisation_id -> Nullable<Uuid>,
        scale_note -> Nullable<Text>,
        follows_id -> Nullable<Uuid>,
        historical -> Bool,
        guards_waived -> Array<Text>,
        visibility -> Text,
        agreement_id -> Nullable<Uuid>,
        initiative_id -> Nullable<Uuid>,
        began_as -> Nullable<Text>,
        agreed_after -> Nullable<Float8>,
        preparing_after -> Nullable<Float8>,
        live_after -> Nullable<Float8>,
        suspended_after -> Nullable<Float8>,
        evaluating_after -> Nullable<Float8>,
        closed_after -> Nullable<Float8>,
        cancelled_after -> Nullable<Float8>,
    }
}

diesel::table! {
    idempotency_key (account_id, key) {
        account_id -> Uuid,
        key -> Text,
        request_hash -> Bytea,
        status -> Int2,
        headers -> Jsonb,
        body -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    import (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        format -> Text,
        status -> Text,
        dry_run -> Bool,
        atomic -> Bool,
        account_id -> Uuid,
        file_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        total -> Nullable<Int4>,
        read -> Int4,
        created -> Int4,
        updated -> Int4,
        unchanged -> Int4,
        failed -> Int4,
        position -> Int8,
        line -> Int4,
        header -> Nullable<Array<Text>>,
        faults -> Int4,
        attempts -> Int4,
        lease_owner -> Nullable<Uuid>,
        lease_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    import_chunk (file_id, number) {
        file_id -> Uuid,
        number -> Int4,
        bytes -> Bytea,
    }
}

diesel::table! {
    import_error (import_id, number) {
        import_id -> Uuid,
        number -> Int4,
        line -> Int4,
        pointer -> Nullable<Text>,
        code -> Text,
        detail -> Text,
    }
}

diesel::table! {
    import_file (id) {
        id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    indicator (id) {
        id -> Uuid,
        vocabulary -> Text,
        city_id -> Nullable<Uuid>,
        code -> Text,
        name -> Text,
        definition -> Text,
        unit -> Text,
        unit_scheme -> Text,
        measure -> Text,
        direction -> Text,
        aggregation -> Text,
    }
}

diesel::table! {
    indicator_area (indicator_id, area) {
        indicator_id -> Uuid,
        area -> Text,
        scheme -> Text,
    }
}

diesel::table! {
    initiative (id) {
        id -> Uuid,
        partnership_id -> Uuid,
        area -> Text,
        area_scheme -> Text,
        kind -> Text,
        from_city_id -> Nullable<Uuid>,
        to_city_id -> Nullable<Uuid>,
        title -> Text,
        description -> Nullable<Text>,
        stage -> Text,
        on_hold_from -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    initiative_document (initiative_id, document_id) {
        initiative_id -> Uuid,
        document_id -> Uuid,
    }
}

diesel::table! {
    initiative_pilot (initiative_id, pilot_id) {
        initiative_id -> Uuid,
        pilot_id -> Uuid,
    }
}

diesel::table! {
    lesson (evaluation_id, position) {
        evaluation_id -> Uuid,
        position -> Int2,
        kind -> Text,
        text -> Text,
    }
}

diesel::table! {
    login (id) {
        id -> Uuid,
        account_id -> Uuid,
        client_id -> Text,
        redirect_uri -> Text,
        code_hash -> Bytea,
        code_challenge -> Bytea,
        logged_in_at -> Timestamptz,
        code_expires_at -> Timestamptz,
        code_used_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    need (id) {
        id -> Uuid,
        city_id -> Uuid,
        area -> Text,
        area_scheme -> Text,
        category -> Nullable<Text>,
        category_scheme -> Text,
        title -> Text,
        description -> Nullable<Text>,
        tags -> Array<Text>,
        status -> Text,
    }
}

diesel::table! {
    observation (id) {
        id -> Uuid,
        outcome_id -> Uuid,
        starts_on -> Text,
        ends_on -> Text,
        value -> Nullable<Numeric>,
        numerator -> Nullable<Numeric>,
        denominator -> Nullable<Numeric>,
        text -> Nullable<Text>,
        dimensions -> Jsonb,
        method -> Nullable<Text>,
        source -> Nullable<Text>,
        status -> Text,
        supersedes_id -> Nullable<Uuid>,
        superseded_by_id -> Nullable<Uuid>,
        submitted_by -> Uuid,
        submitted_by_city_id -> Nullable<Uuid>,
        verified_by -> Nullable<Uuid>,
        verified_by_city_id -> Nullable<Uuid>,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    oidc_subject (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        account_id -> Uuid,
    }
}

diesel::table! {
    organisation (id) {
        id -> Uuid,
        name -> Text,
        kind -> Nullable<Text>,
        city_id -> Nullable<Uuid>,
        website -> Nullable<Text>,
        contact_email -> Nullable<Text>,
    }
}

diesel::table! {
    outcome (id) {
        id -> Uuid,
        indicator_id -> Uuid,
        hosting_id -> Nullable<Uuid>,
        pilot_id -> Nullable<Uuid>,
        city_id -> Nullable<Uuid>,
        level -> Text,
        baseline_value -> Nullable<Numeric>,
        baseline_on -> Nullable<Text>,
        baseline_comment -> Nullable<Text>,
        frequency -> Text,
        currency -> Nullable<Text>,
        responsible_organisation_id -> Nullable<Uuid>,
        tolerance -> Nullable<Numeric>,
        visibility -> Text,
        partnership_id -> Nullable<Uuid>,
        initiative_id -> Nullable<Uuid>,
        hosted_pilot_id -> Nullable<Uuid>,
        host_city_id -> Nullable<Uuid>,
        targets -> Array<Numeric>,
        targets_due -> Array<Text>,
    }
}

diesel::table! {
    outcome_state (outcome_id) {
        outcome_id -> Uuid,
        latest -> Nullable<Jsonb>,
        actual -> Nullable<Numeric>,
        told_until -> Nullable<Date>,
        parts_behind -> Bool,
    }
}

diesel::table! {
    partnership (id) {
        id -> Uuid,
        title -> Text,
        programme_id -> Nullable<Uuid>,
        city_ids -> Array<Uuid>,
        status -> Text,
        since -> Nullable<Text>,
    }
}

diesel::table! {
    partnership_city (partnership_id, city_id) {
        partnership_id -> Uuid,
        city_id -> Uuid,
    }
}

diesel::table! {
    pilot (id) {
        id -> Uuid,
        slug -> Text,
        title -> Text,
        summary -> Nullable<Text>,
        description -> Nullable<Text>,
        origin_city_id -> Uuid,
        category -> Text,
        category_scheme -> Text,
        trl -> Nullable<Int2>,
        status -> Text,
        tags -> Array<Text>,
        standards -> Array<Text>,
        data_model_uri -> Nullable<Text>,
        processes_personal_data -> Nullable<Bool>,
        ip_terms -> Nullable<Text>,
        cost_note -> Nullable<Text>,
        website -> Nullable<Text>,
        visibility -> Text,
    }
}

diesel::table! {
    pilot_area (pilot_id, area) {
        pilot_id -> Uuid,
        area -> Text,
        scheme -> Text,
    }
}

diesel::table! {
    pilot_provider (pilot_id, position) {
        pilot_id -> Uuid,
        position -> Int2,
        organisation_id -> Uuid,
        role -> Nullable<Text>,
    }
}

diesel::table! {
    programme (id) {
        id -> Uuid,
        name -> Text,
        funder -> Nullable<Text>,
        starts_on -> Nullable<Text>,
        ends_on -> Nullable<Text>,
        website -> Nullable<Text>,
    }
}

diesel::table! {
    record (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
    }
}

diesel::table! {
    redaction (id) {
        id -> Uuid,
        at -> Timestamptz,
        by -> Text,
        reason -> Text,
    }
}

diesel::table! {
    redaction_mark (record_id, version, redaction_id) {
        redaction_id -> Uuid,
        record_id -> Uuid,
        version -> Int4,
    }
}

diesel::table! {
    redirect (record_id) {
        record_id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        into_id -> Uuid,
    }
}

diesel::table! {
    revision (record_id, version) {
        record_id -> Uuid,
        version -> Int4,
        #[sql_name = "type"]
        type_ -> Text,
        op -> Text,
        body -> Jsonb,
        visibility -> Text,
        city_ids -> Array<Uuid>,
        at -> Timestamptz,
        account_id -> Nullable<Uuid>,
        acting_city_id -> Nullable<Uuid>,
        as_administrator -> Bool,
        kept -> Jsonb,
    }
}

diesel::table! {
    setting (key) {
        key -> Text,
        value -> Jsonb,
    }
}

diesel::table! {
    signing_key (kid) {
        kid -> Text,
        private_key -> Bytea,
        public_key -> Bytea,
        created_at -> Timestamptz,
        retired_at -> Nullable<Timestamptz>,
        signs_from -> Timestamptz,
    }
}

diesel::table! {
    site (hosting_id, position) {
        hosting_id -> Uuid,
        position -> Int2,
        name -> Text,
        latitude -> Nullable<Float8>,
        longitude -> Nullable<Float8>,
    }
}

diesel::table! {
    target (outcome_id, position) {
        outcome_id -> Uuid,
        position -> Int2,
        value -> Numeric,
        due_on -> Text,
        comment -> Nullable<Text>,
    }
}

diesel::table! {
    term (id) {
        id -> Uuid,
        scheme -> Text,
        code -> Text,
        label -> Text,
        symbol -> Nullable<Text>,
        tracks_people -> Nullable<Bool>,
        broader -> Nullable<Text>,
        retired_on -> Nullable<Text>,
    }
}

diesel::table! {
    transition (id) {
        id -> Int8,
        record_id -> Uuid,
        from_status -> Nullable<Text>,
        to_status -> Text,
        day -> Nullable<Text>,
        at -> Timestamptz,
        account_id -> Nullable<Uuid>,
        acting_city_id -> Nullable<Uuid>,
        as_administrator -> Bool,
        reason -> Nullable<Text>,
        reason_scheme -> Nullable<Text>,
        note -> Nullable<Text>,
        guards_waived -> Array<Text>,
    }
}

diesel::table! {
    webhook (id) {
        id -> Uuid,
        account_id -> Uuid,
        url -> Text,
        types -> Array<Text>,
        enabled -> Bool,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        position -> Int8,
        replay_position -> Nullable<Int8>,
        replay_to -> Nullable<Int8>,
        lease_owner -> Nullable<Uuid>,
        lease_until -> Nullable<Timestamptz>,
        served_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    webhook_city (webhook_id, city_id) {
        webhook_id -> Uuid,
        city_id -> Uuid,
    }
}

diesel::table! {
    webhook_delivery (id) {
        id -> Uuid,
        webhook_id -> Uuid,
        event_type -> Text,
        seq -> Nullable<Int8>,
        state -> Text,
        attempts -> Jsonb,
        tries -> Int4,
        next_attempt_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_secret (id) {
        id -> Uuid,
        webhook_id -> Uuid,
        secret -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    activity_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        kind -> Text,
        title -> Text,
        theme -> Nullable<Text>,
        city -> Nullable<Text>,
        places -> Jsonb,
        starts_on -> Nullable<Text>,
        ends_on -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        partnership_id -> Nullable<Uuid>,
        initiative_ids -> Array<Uuid>,
        areas -> Array<Text>,
        participants -> Jsonb,
        city_id -> Nullable<Uuid>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    agreement_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        kind -> Text,
        title -> Text,
        parties -> Jsonb,
        initiative_id -> Nullable<Uuid>,
        status -> Text,
        signed_on -> Nullable<Text>,
        valid_until -> Nullable<Text>,
        document_id -> Nullable<Jsonb>,
        visibility -> Text,
        any_document_id -> Nullable<Uuid>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    applicability_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        pilot_id -> Uuid,
        city -> Text,
        verdict -> Text,
        reason -> Nullable<Text>,
        text -> Nullable<Text>,
        assessed_on -> Nullable<Text>,
        scores -> Jsonb,
        current -> Bool,
        visibility -> Text,
        origin_city_id -> Uuid,
        city_id -> Uuid,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    city_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        code -> Nullable<Text>,
        name -> Text,
        country -> Text,
        latitude -> Float8,
        longitude -> Float8,
        population -> Nullable<Int8>,
        timezone -> Text,
        website -> Nullable<Text>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
        reference -> Text,
    }
}

diesel::table! {
    compliance_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        hosting_id -> Uuid,
        kind -> Text,
        status -> Text,
        decided_on -> Nullable<Text>,
        legal_basis -> Nullable<Text>,
        data_class -> Nullable<Text>,
        retention_days -> Nullable<Int4>,
        controller_id -> Nullable<Uuid>,
        document_id -> Nullable<Uuid>,
        text -> Nullable<Text>,
        host_city_id -> Uuid,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    document_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        title -> Text,
        city -> Nullable<Text>,
        url -> Nullable<Text>,
        sha256 -> Nullable<Text>,
        licence -> Nullable<Text>,
        published_on -> Nullable<Text>,
        visibility -> Text,
        city_id -> Nullable<Uuid>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    evaluation_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        hosting_id -> Uuid,
        kind -> Text,
        on -> Text,
        summary -> Text,
        scores -> Jsonb,
        lessons -> Jsonb,
        decision -> Nullable<Text>,
        rationale -> Nullable<Text>,
        observation_ids -> Array<Uuid>,
        visibility -> Text,
        host_city_id -> Uuid,
        author_city_id -> Nullable<Uuid>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    hosting_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        pilot_id -> Uuid,
        origin_city -> Text,
        host_city -> Text,
        kind -> Text,
        proposed_by_city -> Text,
        status -> Text,
        suspended_from -> Nullable<Text>,
        no_outcome_reason -> Nullable<Text>,
        planned_start -> Nullable<Text>,
        planned_end -> Nullable<Text>,
        actual_start -> Nullable<Text>,
        actual_end -> Nullable<Text>,
        sites -> Jsonb,
        lead_organisation_id -> Nullable<Uuid>,
        scale_note -> Nullable<Text>,
        follows_id -> Nullable<Uuid>,
        historical -> Bool,
        guards_waived -> Array<Text>,
        visibility -> Text,
        origin_city_id -> Uuid,
        host_city_id -> Uuid,
        proposed_by_city_id -> Uuid,
        pilot_visibility -> Text,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
        agreement_id -> Nullable<Jsonb>,
        any_agreement_id -> Nullable<Uuid>,
        initiative_id -> Nullable<Uuid>,
        gate_broken -> Bool,
        consenting_city_id -> Uuid,
    }
}

diesel::table! {
    import_shown (id) {
        id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        #[sql_name = "type"]
        type_ -> Text,
        status -> Text,
        dry_run -> Bool,
        atomic -> Bool,
        total -> Nullable<Int4>,
        read -> Int4,
        created -> Int4,
        updated -> Int4,
        unchanged -> Int4,
        failed -> Int4,
        account_id -> Uuid,
        errors -> Jsonb,
    }
}

diesel::table! {
    indicator_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        vocabulary -> Text,
        city -> Nullable<Text>,
        code -> Text,
        name -> Text,
        definition -> Text,
        unit -> Text,
        measure -> Text,
        direction -> Text,
        aggregation -> Text,
        areas -> Array<Text>,
        city_id -> Nullable<Uuid>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    initiative_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        partnership_id -> Uuid,
        area -> Text,
        kind -> Text,
        from_city -> Nullable<Text>,
        to_city -> Nullable<Text>,
        title -> Text,
        description -> Nullable<Text>,
        stage -> Text,
        on_hold_from -> Nullable<Text>,
        reason -> Nullable<Text>,
        pilot_ids -> Jsonb,
        agreement_ids -> Jsonb,
        document_ids -> Jsonb,
        any_pilot_ids -> Array<Uuid>,
        any_agreement_ids -> Array<Uuid>,
        any_document_ids -> Array<Uuid>,
        from_city_id -> Nullable<Uuid>,
        to_city_id -> Nullable<Uuid>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    need_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        city -> Text,
        area -> Text,
        category -> Nullable<Text>,
        title -> Text,
        description -> Nullable<Text>,
        tags -> Array<Text>,
        status -> Text,
        city_id -> Uuid,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    observation_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        outcome_id -> Uuid,
        starts_on -> Text,
        ends_on -> Text,
        value -> Nullable<Numeric>,
        numerator -> Nullable<Numeric>,
        denominator -> Nullable<Numeric>,
        text -> Nullable<Text>,
        dimensions -> Jsonb,
        method -> Nullable<Text>,
        source -> Nullable<Text>,
        status -> Text,
        supersedes_id -> Nullable<Uuid>,
        superseded_by_id -> Nullable<Uuid>,
        submitted_by -> Nullable<Text>,
        verified_by -> Nullable<Text>,
        recorded_at -> Timestamptz,
        submitted_by_city -> Nullable<Text>,
        verified_by_city -> Nullable<Text>,
        submitted_by_id -> Uuid,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
        responsible_city_ids -> Array<Uuid>,
        verifier_city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    organisation_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        name -> Text,
        kind -> Nullable<Text>,
        city -> Nullable<Text>,
        website -> Nullable<Text>,
        contact_email -> Nullable<Text>,
        city_id -> Nullable<Uuid>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    outcome_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        indicator_id -> Uuid,
        subject -> Jsonb,
        level -> Text,
        baseline -> Nullable<Jsonb>,
        targets -> Jsonb,
        frequency -> Text,
        dimensions -> Jsonb,
        currency -> Nullable<Text>,
        responsible_organisation_id -> Nullable<Uuid>,
        tolerance -> Nullable<Numeric>,
        visibility -> Text,
        latest -> Nullable<Jsonb>,
        progress -> Nullable<Numeric>,
        progress_reason -> Nullable<Text>,
        progress_status -> Text,
        actual -> Nullable<Numeric>,
        measure -> Text,
        direction -> Text,
        aggregation -> Text,
        hosting_id -> Nullable<Uuid>,
        pilot_id -> Nullable<Uuid>,
        city_id -> Nullable<Uuid>,
        partnership_id -> Nullable<Uuid>,
        initiative_id -> Nullable<Uuid>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
        responsible_city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    partnership_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        title -> Text,
        programme_id -> Nullable<Uuid>,
        cities -> Array<Text>,
        status -> Text,
        since -> Nullable<Text>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    pilot_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        slug -> Text,
        title -> Text,
        summary -> Nullable<Text>,
        description -> Nullable<Text>,
        origin_city -> Text,
        category -> Text,
        areas -> Array<Text>,
        providers -> Jsonb,
        trl -> Nullable<Int2>,
        status -> Text,
        tags -> Array<Text>,
        standards -> Array<Text>,
        data_model_uri -> Nullable<Text>,
        processes_personal_data -> Nullable<Bool>,
        ip_terms -> Nullable<Text>,
        cost_note -> Nullable<Text>,
        website -> Nullable<Text>,
        visibility -> Text,
        origin_city_id -> Uuid,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    privacy_gate (id) {
        id -> Uuid,
        kind -> Nullable<Text>,
        met -> Bool,
        broken -> Bool,
    }
}

diesel::table! {
    programme_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        name -> Text,
        funder -> Nullable<Text>,
        starts_on -> Nullable<Text>,
        ends_on -> Nullable<Text>,
        website -> Nullable<Text>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::table! {
    record_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
    }
}

diesel::table! {
    term_view (id) {
        id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
        translations -> Jsonb,
        external_ids -> Jsonb,
        citations -> Jsonb,
        scheme -> Text,
        code -> Text,
        label -> Text,
        symbol -> Nullable<Text>,
        tracks_people -> Nullable<Bool>,
        broader -> Nullable<Text>,
        retired_on -> Nullable<Text>,
        effective_visibility -> Text,
        city_ids -> Array<Uuid>,
    }
}

diesel::joinable!(account_city -> account (account_id));
diesel::joinable!(account_city -> city (city_id));
diesel::joinable!(account_secret -> account (account_id));
diesel::joinable!(activity -> city (city_id));
diesel::joinable!(activity -> partnership (partnership_id));
diesel::joinable!(activity -> record (id));
diesel::joinable!(activity_area -> activity (activity_id));
diesel::joinable!(activity_initiative -> activity (activity_id));
diesel::joinable!(activity_initiative -> initiative (initiative_id));
diesel::joinable!(activity_participant -> activity (activity_id));
diesel::joinable!(activity_participant -> city (city_id));
diesel::joinable!(activity_participant -> organisation (organisation_id));
diesel::joinable!(activity_place -> activity (activity_id));
diesel::joinable!(agreement -> document (document_id));
diesel::joinable!(agreement -> initiative (initiative_id));
diesel::joinable!(agreement -> record (id));
diesel::joinable!(agreement_party -> agreement (agreement_id));
diesel::joinable!(agreement_party -> city (city_id));
diesel::joinable!(agreement_party -> organisation (organisation_id));
diesel::joinable!(applicability -> city (city_id));
diesel::joinable!(applicability -> record (id));
diesel::joinable!(applicability_score -> applicability (applicability_id));
diesel::joinable!(citation -> document (document_id));
diesel::joinable!(citation -> record (record_id));
diesel::joinable!(city -> country (country));
diesel::joinable!(city -> record (id));
diesel::joinable!(compliance -> document (document_id));
diesel::joinable!(compliance -> hosting (hosting_id));
diesel::joinable!(compliance -> organisation (controller_id));
diesel::joinable!(compliance -> record (id));
diesel::joinable!(dimension -> outcome (outcome_id));
diesel::joinable!(document -> city (city_id));
diesel::joinable!(document -> record (id));
diesel::joinable!(evaluation -> city (author_city_id));
diesel::joinable!(evaluation -> hosting (hosting_id));
diesel::joinable!(evaluation -> record (id));
diesel::joinable!(evaluation_observation -> evaluation (evaluation_id));
diesel::joinable!(evaluation_observation -> observation (observation_id));
diesel::joinable!(evaluation_score -> evaluation (evaluation_id));
diesel::joinable!(external_id -> external_source (source));
diesel::joinable!(external_source -> city (city_id));
diesel::joinable!(hosting -> agreement (agreement_id));
diesel::joinable!(hosting -> initiative (initiative_id));
diesel::joinable!(hosting -> organisation (lead_organisation_id));
diesel::joinable!(hosting -> record (id));
diesel::joinable!(idempotency_key -> account (account_id));
diesel::joinable!(import -> account (account_id));
diesel::joinable!(import -> import_file (file_id));
diesel::joinable!(import_chunk -> import_file (file_id));
diesel::joinable!(import_error -> import (import_id));
diesel::joinable!(indicator -> city (city_id));
diesel::joinable!(indicator -> record (id));
diesel::joinable!(indicator_area -> indicator (indicator_id));
diesel::joinable!(initiative -> partnership (partnership_id));
diesel::joinable!(initiative -> record (id));
diesel::joinable!(initiative_document -> document (document_id));
diesel::joinable!(initiative_document -> initiative (initiative_id));
diesel::joinable!(initiative_pilot -> initiative (initiative_id));
diesel::joinable!(initiative_pilot -> pilot (pilot_id));
diesel::joinable!(lesson -> evaluation (evaluation_id));
diesel::joinable!(login -> account (account_id));
diesel::joinable!(need -> city (city_id));
diesel::joinable!(need -> record (id));
diesel::joinable!(observation -> outcome (outcome_id));
diesel::joinable!(observation -> record (id));
diesel::joinable!(oidc_subject -> account (account_id));
diesel::joinable!(organisation -> city (city_id));
diesel::joinable!(organisation -> record (id));
diesel::joinable!(outcome -> city (city_id));
diesel::joinable!(outcome -> hosting (hosting_id));
diesel::joinable!(outcome -> indicator (indicator_id));
diesel::joinable!(outcome -> initiative (initiative_id));
diesel::joinable!(outcome -> organisation (responsible_organisation_id));
diesel::joinable!(outcome -> partnership (partnership_id));
diesel::joinable!(outcome -> pilot (pilot_id));
diesel::joinable!(outcome -> record (id));
diesel::joinable!(outcome_state -> outcome (outcome_id));
diesel::joinable!(partnership -> programme (programme_id));
diesel::joinable!(partnership -> record (id));
diesel::joinable!(partnership_city -> city (city_id));
diesel::joinable!(partnership_city -> partnership (partnership_id));
diesel::joinable!(pilot -> city (origin_city_id));
diesel::joinable!(pilot -> record (id));
diesel::joinable!(pilot_area -> pilot (pilot_id));
diesel::joinable!(pilot_provider -> organisation (organisation_id));
diesel::joinable!(pilot_provider -> pilot (pilot_id));
diesel::joinable!(programme -> record (id));
diesel::joinable!(redaction_mark -> redaction (redaction_id));
diesel::joinable!(redirect -> record (into_id));
diesel::joinable!(site -> hosting (hosting_id));
diesel::joinable!(target -> outcome (outcome_id));
diesel::joinable!(term -> record (id));
diesel::joinable!(transition -> account (account_id));
diesel::joinable!(transition -> city (acting_city_id));
diesel::joinable!(transition -> record (record_id));
diesel::joinable!(webhook -> account (account_id));
diesel::joinable!(webhook_city -> city (city_id));
diesel::joinable!(webhook_city -> webhook (webhook_id));
diesel::joinable!(webhook_delivery -> webhook (webhook_id));
diesel::joinable!(webhook_secret -> webhook (webhook_id));

diesel::allow_tables_to_appear_in_same_query!(
    access_number,
    account,
    account_city,
    account_secret,
    activity,
    activity_area,
    activity_initiative,
    activity_participant,
    activity_place,
    agreement,
    agreement_party,
    applicability,
    applicability_score,
    change,
    change_number,
    citation,
    city,
    compliance,
    country,
    dimension,
    document,
    evaluation,
    evaluation_observation,
    evaluation_score,
    external_id,
    external_source,
    hosting,
    idempotency_key,
    import,
    import_chunk,
    import_error,
    import_file,
    indicator,
    indicator_area,
    initiative,
    initiative_document,
    initiative_pilot,
    lesson,
    login,
    need,
    observation,
    oidc_subject,
    organisation,
    outcome,
    outcome_state,
    partnership,
    partnership_city,
    pilot,
    pilot_area,
    pilot_provider,
    programme,
    record,
    redaction,
    redaction_mark,
    redirect,
    revision,
    setting,
    signing_key,
    site,
    target,
    term,
    transition,
    webhook,
    webhook_city,
    webhook_delivery,
    webhook_secret,
);
