use super::*;

fn answer<'a>(id: &'a str, model: &'a str, usage: Usage) -> NewAnswer<'a> {
    NewAnswer {
        id: Some(id),
        request: Some("r"),
        model: Some(model),
        usage,
        ..NewAnswer::default()
    }
}

fn tokens(input: u64, output: u64) -> Usage {
    Usage {
        input_tokens: Some(input),
        output_tokens: Some(output),
        ..Usage::default()
    }
}

#[test]
fn the_last_record_of_an_answer_counts() {
    let mut answers = Answers::default();
    for (id, usage, step) in [
        ("m1", tokens(5, 1), 0),
        ("m2", tokens(7, 2), 1),
        ("m1", tokens(5, 90), 2),
        ("m1", Usage::default(), 4),
    ] {
        answers.add(&answer(id, "claude-x", usage), Role::Primary, step, true);
    }
    let (models, usage, findings) = answers.finish().unwrap();
    assert_eq!(
        usage,
        Usage {
            input_tokens: Some(12),
            output_tokens: Some(92),
            requests: Some(2),
            ..Usage::default()
        }
    );
    let model = &models[&("claude-x".to_owned(), Role::Primary)];
    assert_eq!(
        (model.steps, model.answers, model.first_step, model.last_step),
        (4, 2, 0, 4)
    );
    assert_eq!(model.provider.as_deref(), Some("anthropic"));
    assert!(findings.is_empty());
}

#[test]
fn absent_and_absurd_counts_stay_absent() {
    let mut answers = Answers::default();
    answers.add(
        &answer("m1", "m", tokens(u64::MAX, MAX_TOKENS + 1)),
        Role::Primary,
        0,
        true,
    );
    answers.add(&answer("m2", "m", Usage::default()), Role::Primary, 0, true);
    let (_, usage, _) = answers.finish().unwrap();
    assert_eq!(
        usage,
        Usage {
            requests: Some(2),
            ..Usage::default()
        }
    );
}

#[test]
fn two_models_under_one_identifier_are_a_finding() {
    let mut answers = Answers::default();
    answers.add(&answer("m1", "a", Usage::default()), Role::Primary, 0, true);
    answers.add(&answer("m1", "b", Usage::default()), Role::Primary, 1, true);
    let (models, _, findings) = answers.finish().unwrap();
    assert_eq!(models.len(), 2);
    assert_eq!(
        findings,
        [Finding::ModelDiffers {
            first: "a".into(),
            later: "b".into()
        }]
    );
}

#[test]
fn what_the_product_reports_wins_over_what_is_added_up() {
    let mut answers = Answers::default();
    answers.add(&answer("m1", "m", tokens(5, 1)), Role::Primary, 0, true);
    for output in [3, 9] {
        let usage = Usage {
            output_tokens: Some(output),
            ..Usage::default()
        };
        answers.set_total("shutdown", Some(("m", None)), Role::Primary, 1, usage);
    }
    let (models, usage, _) = answers.finish().unwrap();
    let expected = Usage {
        requests: Some(1),
        ..tokens(5, 9)
    };
    assert_eq!(usage, expected);
    assert_eq!(models[&("m".to_owned(), Role::Primary)].usage, expected);
}

#[test]
fn growth_skips_repeats_and_survives_a_new_start() {
    let mut growth = Growth::default();
    assert_eq!(growth.added(tokens(10, 1)), Some(tokens(10, 1)));
    assert_eq!(growth.added(tokens(10, 1)), None);
    assert_eq!(growth.added(tokens(25, 1)), Some(tokens(15, 0)));
    assert_eq!(growth.added(tokens(4, 2)), Some(tokens(4, 2)));
    assert_eq!(growth.added(Usage::default()), None);
}

#[test]
fn providers_are_read_from_the_identifier() {
    assert_eq!(provider("claude-opus-4-5-20251101"), Some("anthropic"));
    assert_eq!(provider("claude-opus-4-1@20250805"), Some("gcp.vertex_ai"));
    assert_eq!(
        provider("us.anthropic.claude-sonnet-4-20250514-v1:0"),
        Some("aws.bedrock")
    );
    assert_eq!(provider("gpt-5"), None);
}

#[test]
fn a_sum_beyond_the_cap_is_not_left_out_in_silence() {
    let finished = |scopes: usize| {
        let mut answers = Answers::default();
        for scope in 0..scopes {
            answers.set_total(&format!("{scope}"), None, Role::Primary, 0, tokens(1, 1));
        }
        answers.finish().map(|(_, usage, _)| usage.input_tokens)
    };
    assert_eq!(finished(MAX_TOTALS).unwrap(), Some(MAX_TOTALS as u64));
    assert_eq!(finished(MAX_TOTALS + 1).unwrap_err().code(), "session.too_large");
}
