SELECT
  `t32`.`sales_id`,
  `t32`.`date`,
  `t32`.`store_id`,
  `t32`.`product_id`,
  `t32`.`retailer_id`,
  `t32`.`year`,
  `t32`.`month`,
  `t32`.`day_of_week`,
  `t32`.`is_weekend`,
  `t32`.`quarter`,
  `t32`.`season`,
  `t32`.`store_avg_amount`,
  `t32`.`store_std_amount`,
  `t32`.`store_total_amount`,
  `t32`.`store_avg_quantity`,
  `t32`.`store_std_quantity`,
  `t32`.`store_total_quantity`,
  `t32`.`product_avg_amount`,
  `t32`.`product_std_amount`,
  `t32`.`product_total_amount`,
  `t32`.`product_avg_quantity`,
  `t32`.`product_avg_price`,
  `t32`.`product_std_price`,
  `t32`.`product_frequency`,
  `t32`.`retailer_avg_amount`,
  `t32`.`retailer_avg_quantity`,
  `t32`.`retailer_frequency`,
  `t32`.`product_brand`,
  `t32`.`product_category`,
  `t32`.`product_subcategory`,
  `t32`.`product_supplier`,
  `t32`.`store_format`,
  `t32`.`store_city`,
  `t32`.`store_state`,
  `t32`.`store_region`,
  `t32`.`ev_kept_sales_amount` AS `sales_amount`,
  `t32`.`ev_kept_sales_quantity` AS `sales_quantity`
FROM (
  SELECT
    `t13`.`sales_id`,
    `t13`.`date`,
    `t13`.`store_id`,
    `t13`.`product_id`,
    `t13`.`retailer_id`,
    `t13`.`ev_measure_amount`,
    `t13`.`ev_measure_quantity`,
    `t13`.`ev_measure_price`,
    `t13`.`ev_kept_sales_amount`,
    `t13`.`ev_kept_sales_quantity`,
    `t13`.`year`,
    `t13`.`month`,
    `t13`.`day_of_week`,
    `t13`.`is_weekend`,
    `t13`.`quarter`,
    `t13`.`season`,
    `t21`.`retailer_avg_amount`,
    `t21`.`retailer_avg_quantity`,
    `t21`.`retailer_frequency`,
    `t30`.`store_avg_amount`,
    `t30`.`store_std_amount`,
    `t30`.`store_total_amount`,
    `t30`.`store_avg_quantity`,
    `t30`.`store_std_quantity`,
    `t30`.`store_total_quantity`,
    `t30`.`store_format`,
    `t30`.`store_city`,
    `t30`.`store_state`,
    `t30`.`store_region`,
    `t31`.`product_avg_amount`,
    `t31`.`product_std_amount`,
    `t31`.`product_total_amount`,
    `t31`.`product_avg_quantity`,
    `t31`.`product_avg_price`,
    `t31`.`product_std_price`,
    `t31`.`product_frequency`,
    `t31`.`product_brand`,
    `t31`.`product_category`,
    `t31`.`product_subcategory`,
    `t31`.`product_supplier`
  FROM (
    SELECT
      `t8`.`sales_id`,
      `t8`.`date`,
      `t8`.`store_id`,
      `t8`.`product_id`,
      `t8`.`retailer_id`,
      `t8`.`ev_measure_amount`,
      `t8`.`ev_measure_quantity`,
      `t8`.`ev_measure_price`,
      `t8`.`ev_kept_sales_amount`,
      `t8`.`ev_kept_sales_quantity`,
      EXTRACT(year FROM `t8`.`date`) AS `year`,
      EXTRACT(month FROM `t8`.`date`) AS `month`,
      MOD(EXTRACT(dayofweek FROM `t8`.`date`) + 5, 7) AS `day_of_week`,
      CAST((
        MOD(EXTRACT(dayofweek FROM `t8`.`date`) + 5, 7)
      ) >= 5 AS INT64) AS `is_weekend`,
      EXTRACT(quarter FROM `t8`.`date`) AS `quarter`,
      CASE
        WHEN EXTRACT(month FROM `t8`.`date`) IN (12, 1, 2)
        THEN 'winter'
        WHEN EXTRACT(month FROM `t8`.`date`) IN (3, 4, 5)
        THEN 'spring'
        WHEN EXTRACT(month FROM `t8`.`date`) IN (6, 7, 8)
        THEN 'summer'
        WHEN EXTRACT(month FROM `t8`.`date`) IN (9, 10, 11)
        THEN 'autumn'
        ELSE NULL
      END AS `season`
    FROM (
      SELECT
        `t7`.*
        EXCEPT (`ev_counts_1`, `ev_counts_3`, `ev_counts_2`, `ev_counts_0`)
      FROM (
        SELECT
          `t0`.`sales_id`,
          `t0`.`date_key` AS `date`,
          `t0`.`store_id`,
          `t0`.`product_id`,
          `t0`.`retailer_id`,
          CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_measure_amount`,
          CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_measure_quantity`,
          ieee_divide(
            CAST(`t0`.`sales_amount` AS FLOAT64),
            NULLIF(CAST(`t0`.`sales_quantity` AS FLOAT64), 0.0)
          ) AS `ev_measure_price`,
          CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_kept_sales_amount`,
          CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_kept_sales_quantity`,
          CAST(`t0`.`sales_quantity` AS FLOAT64) > 0 AS `ev_counts_0`,
          NOT (
            IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
          ) AS `ev_counts_1`,
          CAST(`t0`.`sales_amount` AS FLOAT64) > 0 AS `ev_counts_2`,
          NOT (
            IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
          ) AS `ev_counts_3`
        FROM `fact_sales` AS `t0`
        WHERE
          CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
          AND NOT (
            IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
          )
          AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
          AND NOT (
            IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
          )
      ) AS `t7`
    ) AS `t8`
  ) AS `t13`
  LEFT OUTER JOIN (
    SELECT
      `t17`.`retailer_id` AS `retailer_id_known`,
      `t17`.`date` AS `date_known`,
      ieee_divide(CAST(`t17`.`ev_amount_sum` AS FLOAT64), `t17`.`ev_rows`) AS `retailer_avg_amount`,
      ieee_divide(CAST(`t17`.`ev_quantity_sum` AS FLOAT64), `t17`.`ev_rows`) AS `retailer_avg_quantity`,
      COALESCE(`t17`.`ev_rows`, 0) AS `retailer_frequency`
    FROM (
      SELECT
        `t14`.`retailer_id`,
        `t14`.`date`,
        SUM(`t14`.`ev_rows`) OVER (
          PARTITION BY `t14`.`retailer_id`
          ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `ev_rows`,
        SUM(`t14`.`ev_amount_sum`) OVER (
          PARTITION BY `t14`.`retailer_id`
          ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `ev_amount_sum`,
        SUM(`t14`.`ev_quantity_sum`) OVER (
          PARTITION BY `t14`.`retailer_id`
          ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `ev_quantity_sum`
      FROM (
        SELECT
          `t9`.`retailer_id`,
          `t9`.`date`,
          COUNT(*) AS `ev_rows`,
          SUM(`t9`.`amount`) AS `ev_amount_sum`,
          SUM(`t9`.`quantity`) AS `ev_quantity_sum`
        FROM (
          SELECT
            `t8`.`retailer_id`,
            `t8`.`date`,
            CAST(`t8`.`ev_measure_amount` AS NUMERIC) AS `amount`,
            CAST(`t8`.`ev_measure_quantity` AS NUMERIC) AS `quantity`
          FROM (
            SELECT
              `t7`.*
              EXCEPT (`ev_counts_1`, `ev_counts_3`, `ev_counts_2`, `ev_counts_0`)
            FROM (
              SELECT
                `t0`.`sales_id`,
                `t0`.`date_key` AS `date`,
                `t0`.`store_id`,
                `t0`.`product_id`,
                `t0`.`retailer_id`,
                CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_measure_amount`,
                CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_measure_quantity`,
                ieee_divide(
                  CAST(`t0`.`sales_amount` AS FLOAT64),
                  NULLIF(CAST(`t0`.`sales_quantity` AS FLOAT64), 0.0)
                ) AS `ev_measure_price`,
                CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_kept_sales_amount`,
                CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_kept_sales_quantity`,
                CAST(`t0`.`sales_quantity` AS FLOAT64) > 0 AS `ev_counts_0`,
                NOT (
                  IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
                ) AS `ev_counts_1`,
                CAST(`t0`.`sales_amount` AS FLOAT64) > 0 AS `ev_counts_2`,
                NOT (
                  IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                ) AS `ev_counts_3`
              FROM `fact_sales` AS `t0`
              WHERE
                CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
                AND NOT (
                  IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
                )
                AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
                AND NOT (
                  IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                )
            ) AS `t7`
          ) AS `t8`
          WHERE
            `t8`.`retailer_id` IS NOT NULL
        ) AS `t9`
        GROUP BY
          1,
          2
      ) AS `t14`
    ) AS `t17`
  ) AS `t21`
    ON `t13`.`retailer_id` = `t21`.`retailer_id_known`
    AND `t13`.`date` = `t21`.`date_known`
  LEFT OUTER JOIN (
    SELECT
      `t26`.`store_id` AS `store_id_known`,
      `t26`.`date` AS `date_known`,
      `t26`.`store_avg_amount`,
      `t26`.`store_std_amount`,
      `t26`.`store_total_amount`,
      `t26`.`store_avg_quantity`,
      `t26`.`store_std_quantity`,
      `t26`.`store_total_quantity`,
      `t26`.`store_format`,
      `t26`.`store_city`,
      `t26`.`store_state`,
      `t26`.`store_region`
    FROM (
      SELECT
        `t24`.`store_id`,
        `t24`.`date`,
        `t24`.`store_avg_amount`,
        `t24`.`store_std_amount`,
        `t24`.`store_total_amount`,
        `t24`.`store_avg_quantity`,
        `t24`.`store_std_quantity`,
        `t24`.`store_total_quantity`,
        `t24`.`ev_key_0`,
        `t5`.`store_format`,
        `t5`.`store_city`,
        `t5`.`store_state`,
        `t5`.`store_region`
      FROM (
        SELECT
          `t18`.`store_id`,
          `t18`.`date`,
          ieee_divide(CAST(`t18`.`ev_amount_sum` AS FLOAT64), `t18`.`ev_rows`) AS `store_avg_amount`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t18`.`ev_amount_squares` - (
                  CAST(ieee_divide(CAST(`t18`.`ev_amount_sum` AS FLOAT64), `t18`.`ev_rows`) AS NUMERIC) * (
                    (
                      `t18`.`ev_amount_sum` + `t18`.`ev_amount_sum`
                    ) - (
                      `t18`.`ev_rows` * CAST(ieee_divide(CAST(`t18`.`ev_amount_sum` AS FLOAT64), `t18`.`ev_rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t18`.`ev_rows` - 1, 0)
            )
          ) AS `store_std_amount`,
          COALESCE(CAST(`t18`.`ev_amount_sum` AS FLOAT64), 0.0) AS `store_total_amount`,
          ieee_divide(CAST(`t18`.`ev_quantity_sum` AS FLOAT64), `t18`.`ev_rows`) AS `store_avg_quantity`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t18`.`ev_quantity_squares` - (
                  CAST(ieee_divide(CAST(`t18`.`ev_quantity_sum` AS FLOAT64), `t18`.`ev_rows`) AS NUMERIC) * (
                    (
                      `t18`.`ev_quantity_sum` + `t18`.`ev_quantity_sum`
                    ) - (
                      `t18`.`ev_rows` * CAST(ieee_divide(CAST(`t18`.`ev_quantity_sum` AS FLOAT64), `t18`.`ev_rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t18`.`ev_rows` - 1, 0)
            )
          ) AS `store_std_quantity`,
          COALESCE(CAST(`t18`.`ev_quantity_sum` AS FLOAT64), 0.0) AS `store_total_quantity`,
          `t18`.`store_id` AS `ev_key_0`
        FROM (
          SELECT
            `t15`.`store_id`,
            `t15`.`date`,
            SUM(`t15`.`ev_rows`) OVER (
              PARTITION BY `t15`.`store_id`
              ORDER BY DATE_DIFF(`t15`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_rows`,
            SUM(`t15`.`ev_amount_sum`) OVER (
              PARTITION BY `t15`.`store_id`
              ORDER BY DATE_DIFF(`t15`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_amount_sum`,
            SUM(`t15`.`ev_amount_squares`) OVER (
              PARTITION BY `t15`.`store_id`
              ORDER BY DATE_DIFF(`t15`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_amount_squares`,
            SUM(`t15`.`ev_quantity_sum`) OVER (
              PARTITION BY `t15`.`store_id`
              ORDER BY DATE_DIFF(`t15`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_quantity_sum`,
            SUM(`t15`.`ev_quantity_squares`) OVER (
              PARTITION BY `t15`.`store_id`
              ORDER BY DATE_DIFF(`t15`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_quantity_squares`
          FROM (
            SELECT
              `t10`.`store_id`,
              `t10`.`date`,
              COUNT(*) AS `ev_rows`,
              SUM(`t10`.`amount`) AS `ev_amount_sum`,
              SUM(CAST(`t10`.`amount` AS NUMERIC) * `t10`.`amount`) AS `ev_amount_squares`,
              SUM(`t10`.`quantity`) AS `ev_quantity_sum`,
              SUM(CAST(`t10`.`quantity` AS NUMERIC) * `t10`.`quantity`) AS `ev_quantity_squares`
            FROM (
              SELECT
                `t8`.`store_id`,
                `t8`.`date`,
                CAST(`t8`.`ev_measure_amount` AS NUMERIC) AS `amount`,
                CAST(`t8`.`ev_measure_quantity` AS NUMERIC) AS `quantity`
              FROM (
                SELECT
                  `t7`.*
                  EXCEPT (`ev_counts_1`, `ev_counts_3`, `ev_counts_2`, `ev_counts_0`)
                FROM (
                  SELECT
                    `t0`.`sales_id`,
                    `t0`.`date_key` AS `date`,
                    `t0`.`store_id`,
                    `t0`.`product_id`,
                    `t0`.`retailer_id`,
                    CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_measure_amount`,
                    CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_measure_quantity`,
                    ieee_divide(
                      CAST(`t0`.`sales_amount` AS FLOAT64),
                      NULLIF(CAST(`t0`.`sales_quantity` AS FLOAT64), 0.0)
                    ) AS `ev_measure_price`,
                    CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_kept_sales_amount`,
                    CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_kept_sales_quantity`,
                    CAST(`t0`.`sales_quantity` AS FLOAT64) > 0 AS `ev_counts_0`,
                    NOT (
                      IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
                    ) AS `ev_counts_1`,
                    CAST(`t0`.`sales_amount` AS FLOAT64) > 0 AS `ev_counts_2`,
                    NOT (
                      IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                    ) AS `ev_counts_3`
                  FROM `fact_sales` AS `t0`
                  WHERE
                    CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
                    AND NOT (
                      IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
                    )
                    AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
                    AND NOT (
                      IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                    )
                ) AS `t7`
              ) AS `t8`
              WHERE
                `t8`.`store_id` IS NOT NULL
            ) AS `t10`
            GROUP BY
              1,
              2
          ) AS `t15`
        ) AS `t18`
      ) AS `t24`
      LEFT OUTER JOIN (
        SELECT
          `t1`.`store_id` AS `ev_key_0_known`,
          `t1`.`store_format`,
          `t1`.`store_city`,
          `t1`.`store_state`,
          `t1`.`store_region`
        FROM `dim_store` AS `t1`
      ) AS `t5`
        ON `t24`.`ev_key_0` = `t5`.`ev_key_0_known`
    ) AS `t26`
  ) AS `t30`
    ON `t13`.`store_id` = `t30`.`store_id_known` AND `t13`.`date` = `t30`.`date_known`
  LEFT OUTER JOIN (
    SELECT
      `t27`.`product_id` AS `product_id_known`,
      `t27`.`date` AS `date_known`,
      `t27`.`product_avg_amount`,
      `t27`.`product_std_amount`,
      `t27`.`product_total_amount`,
      `t27`.`product_avg_quantity`,
      `t27`.`product_avg_price`,
      `t27`.`product_std_price`,
      `t27`.`product_frequency`,
      `t27`.`product_brand`,
      `t27`.`product_category`,
      `t27`.`product_subcategory`,
      `t27`.`product_supplier`
    FROM (
      SELECT
        `t25`.`product_id`,
        `t25`.`date`,
        `t25`.`product_avg_amount`,
        `t25`.`product_std_amount`,
        `t25`.`product_total_amount`,
        `t25`.`product_avg_quantity`,
        `t25`.`product_avg_price`,
        `t25`.`product_std_price`,
        `t25`.`product_frequency`,
        `t25`.`ev_key_0`,
        `t6`.`product_brand`,
        `t6`.`product_category`,
        `t6`.`product_subcategory`,
        `t6`.`product_supplier`
      FROM (
        SELECT
          `t19`.`product_id`,
          `t19`.`date`,
          ieee_divide(CAST(`t19`.`ev_amount_sum` AS FLOAT64), `t19`.`ev_rows`) AS `product_avg_amount`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t19`.`ev_amount_squares` - (
                  CAST(ieee_divide(CAST(`t19`.`ev_amount_sum` AS FLOAT64), `t19`.`ev_rows`) AS NUMERIC) * (
                    (
                      `t19`.`ev_amount_sum` + `t19`.`ev_amount_sum`
                    ) - (
                      `t19`.`ev_rows` * CAST(ieee_divide(CAST(`t19`.`ev_amount_sum` AS FLOAT64), `t19`.`ev_rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t19`.`ev_rows` - 1, 0)
            )
          ) AS `product_std_amount`,
          COALESCE(CAST(`t19`.`ev_amount_sum` AS FLOAT64), 0.0) AS `product_total_amount`,
          ieee_divide(CAST(`t19`.`ev_quantity_sum` AS FLOAT64), `t19`.`ev_rows`) AS `product_avg_quantity`,
          ieee_divide(CAST(`t19`.`ev_price_sum` AS FLOAT64), `t19`.`ev_rows`) AS `product_avg_price`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t19`.`ev_price_squares` - (
                  CAST(ieee_divide(CAST(`t19`.`ev_price_sum` AS FLOAT64), `t19`.`ev_rows`) AS NUMERIC) * (
                    (
                      `t19`.`ev_price_sum` + `t19`.`ev_price_sum`
                    ) - (
                      `t19`.`ev_rows` * CAST(ieee_divide(CAST(`t19`.`ev_price_sum` AS FLOAT64), `t19`.`ev_rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t19`.`ev_rows` - 1, 0)
            )
          ) AS `product_std_price`,
          COALESCE(`t19`.`ev_rows`, 0) AS `product_frequency`,
          `t19`.`product_id` AS `ev_key_0`
        FROM (
          SELECT
            `t16`.`product_id`,
            `t16`.`date`,
            SUM(`t16`.`ev_rows`) OVER (
              PARTITION BY `t16`.`product_id`
              ORDER BY DATE_DIFF(`t16`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_rows`,
            SUM(`t16`.`ev_amount_sum`) OVER (
              PARTITION BY `t16`.`product_id`
              ORDER BY DATE_DIFF(`t16`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_amount_sum`,
            SUM(`t16`.`ev_amount_squares`) OVER (
              PARTITION BY `t16`.`product_id`
              ORDER BY DATE_DIFF(`t16`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_amount_squares`,
            SUM(`t16`.`ev_quantity_sum`) OVER (
              PARTITION BY `t16`.`product_id`
              ORDER BY DATE_DIFF(`t16`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_quantity_sum`,
            SUM(`t16`.`ev_price_sum`) OVER (
              PARTITION BY `t16`.`product_id`
              ORDER BY DATE_DIFF(`t16`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_price_sum`,
            SUM(`t16`.`ev_price_squares`) OVER (
              PARTITION BY `t16`.`product_id`
              ORDER BY DATE_DIFF(`t16`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_price_squares`
          FROM (
            SELECT
              `t11`.`product_id`,
              `t11`.`date`,
              COUNT(*) AS `ev_rows`,
              SUM(`t11`.`amount`) AS `ev_amount_sum`,
              SUM(CAST(`t11`.`amount` AS NUMERIC) * `t11`.`amount`) AS `ev_amount_squares`,
              SUM(`t11`.`quantity`) AS `ev_quantity_sum`,
              SUM(`t11`.`price`) AS `ev_price_sum`,
              SUM(CAST(`t11`.`price` AS NUMERIC) * `t11`.`price`) AS `ev_price_squares`
            FROM (
              SELECT
                `t8`.`product_id`,
                `t8`.`date`,
                CAST(`t8`.`ev_measure_amount` AS NUMERIC) AS `amount`,
                CAST(`t8`.`ev_measure_quantity` AS NUMERIC) AS `quantity`,
                CAST(`t8`.`ev_measure_price` AS NUMERIC) AS `price`
              FROM (
                SELECT
                  `t7`.*
                  EXCEPT (`ev_counts_1`, `ev_counts_3`, `ev_counts_2`, `ev_counts_0`)
                FROM (
                  SELECT
                    `t0`.`sales_id`,
                    `t0`.`date_key` AS `date`,
                    `t0`.`store_id`,
                    `t0`.`product_id`,
                    `t0`.`retailer_id`,
                    CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_measure_amount`,
                    CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_measure_quantity`,
                    ieee_divide(
                      CAST(`t0`.`sales_amount` AS FLOAT64),
                      NULLIF(CAST(`t0`.`sales_quantity` AS FLOAT64), 0.0)
                    ) AS `ev_measure_price`,
                    CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_kept_sales_amount`,
                    CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_kept_sales_quantity`,
                    CAST(`t0`.`sales_quantity` AS FLOAT64) > 0 AS `ev_counts_0`,
                    NOT (
                      IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
                    ) AS `ev_counts_1`,
                    CAST(`t0`.`sales_amount` AS FLOAT64) > 0 AS `ev_counts_2`,
                    NOT (
                      IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                    ) AS `ev_counts_3`
                  FROM `fact_sales` AS `t0`
                  WHERE
                    CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
                    AND NOT (
                      IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
                    )
                    AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
                    AND NOT (
                      IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                    )
                ) AS `t7`
              ) AS `t8`
              WHERE
                `t8`.`product_id` IS NOT NULL
            ) AS `t11`
            GROUP BY
              1,
              2
          ) AS `t16`
        ) AS `t19`
      ) AS `t25`
      LEFT OUTER JOIN (
        SELECT
          `t2`.`product_id` AS `ev_key_0_known`,
          `t2`.`product_brand`,
          `t2`.`product_category`,
          `t2`.`product_subcategory`,
          `t2`.`product_supplier`
        FROM `dim_product` AS `t2`
      ) AS `t6`
        ON `t25`.`ev_key_0` = `t6`.`ev_key_0_known`
    ) AS `t27`
  ) AS `t31`
    ON `t13`.`product_id` = `t31`.`product_id_known`
    AND `t13`.`date` = `t31`.`date_known`
) AS `t32`
